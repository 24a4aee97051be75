using System.Globalization;
using System.Text;
using FactoryStream.Audit.Evidence;
using FactoryStream.Signatures;
using Npgsql;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class BatchTests(SharedPlant shared)
{
    private static readonly DateTime Start = new(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);

    private readonly Plant plant = shared.Plant;

    [Fact]
    public async Task Batches_and_single_readings_are_counted_once_and_proven_one_by_one()
    {
        using var signer = ReadingSigner.Create();
        const string factory = "gateway";
        var pem = signer.ExportPublicKeyPem();
        await plant.EnrolAsync(factory, pem);
        // Ten engines of several partitions in each batch, and batches of one engine alone.
        var mixed = Enumerable
            .Range(0, 6)
            .Select(batch => Sign(signer, factory, Start, Enumerable.Range(0, 50).Select(i => ($"e{i % 10}", batch * 5 + i / 10))))
            .ToArray();
        var ofOne = Sign(signer, factory, Start, Enumerable.Range(0, 30).Select(second => ("alone", second)));
        var single = Enumerable
            .Range(30, 10)
            .Select(second => Plant.Sign(signer, factory, "alone", Start.AddSeconds(second), second))
            .ToArray();
        // Its reading of engine e3 at 14.0 s stands in a batch as well: the same reading, and the same bytes.
        var known = Plant.Sign(signer, factory, "e3", Start.AddSeconds(14), 14);
        var tampered = mixed[2].Replace("\"rpm\": 12}", "\"rpm\": 13}", StringComparison.Ordinal);
        var malformed = mixed[3].Replace("\"engine_id\": \"e7\"", "\"engine_id\": \"\"", StringComparison.Ordinal);
        Assert.NotEqual(mixed[2], tampered);
        string[] lines = [.. mixed[..3], tampered, .. single[..5], ofOne, malformed, .. mixed[3..], .. single[5..], known];
        const int perPost = 300 + 50 + 10 + 30 + 1,
            stored = 300 + 30 + 10;

        var (status, answer) = await plant.PostAsync(lines);

        Assert.Equal((202, perPost), (status, answer.GetProperty("accepted").GetInt32()));
        Assert.Equal(
            [(11, "malformed", "reading 7: engine_id: expected text of 1 to 128 characters without control characters, found ''")],
            answer
                .GetProperty("rejected")
                .EnumerateArray()
                .Select(line =>
                    (line.GetProperty("line").GetInt32(), line.GetProperty("reason").GetString()!, line.GetProperty("detail").GetString()!)
                )
        );
        var books = await plant.CommittedAsync(factory, perPost);
        AssertBooks(books, perPost, stored, duplicates: 1, rejected: 50, refused: 1);

        for (var time = 2; time <= 3; time++)
        {
            await plant.PostAsync(lines);
            books = await plant.CommittedAsync(factory, time * perPost);
            AssertBooks(books, time * perPost, stored, duplicates: time * (stored + 1) - stored, rejected: time * 50, refused: time);
        }

        // A row each, its evidence once, whatever partitions they are of.
        Assert.Equal(stored, await plant.StoredAsync(factory));
        Assert.Equal(
            "340 10 7",
            await plant.QueryAsync<string>(
                """
                SELECT count(*) || ' ' || count(r.signature) || ' ' || count(DISTINCT batch_sha256)
                FROM factory.readings r JOIN factory.engines USING (engine_no) WHERE factory_id = $1
                """,
                factory
            )
        );
        Assert.Equal(
            7L,
            await plant.QueryAsync<long>(
                "SELECT count(*) FROM factory.batches JOIN factory.signing_keys USING (key_no) WHERE factory_id = $1",
                factory
            )
        );
        // The rejected batch is kept as it came, and in the books as many readings as it has.
        Assert.Equal(
            "bad_signature 150",
            await plant.QueryAsync<string>(
                "SELECT min(reason) || ' ' || sum(readings) FROM factory.rejections WHERE factory_id = $1 AND NOT refused AND line = $2",
                factory,
                Encoding.UTF8.GetBytes(tampered)
            )
        );
        // Each reading is in one window's count, too, once the last windows have closed by the clock.
        await Plant.EventuallyAsync(
            () =>
                plant.QueryAsync<long>(
                    "SELECT coalesce(sum(count), 0)::bigint FROM factory.windows JOIN factory.engines USING (engine_no) WHERE "
                        + "factory_id = $1",
                    factory
                ),
            count => count == stored
        );

        await AssertProvenAsync(factory, pem, stored + 7);
    }

    private static void AssertBooks(Books books, long accepted, long stored, long duplicates, long rejected, long refused)
    {
        Assert.Equal(
            (accepted, stored, duplicates, rejected, refused),
            (books.Accepted, books.Stored, books.Duplicates, books.Rejected.Values.Sum(), books.Refused.Values.Sum())
        );
        Assert.Equal(["bad_signature"], books.Rejected.Keys);
        books.AssertBalanced();
    }

    /// <summary>Exports as docs/operations.md says and audits with nothing but the public key.</summary>
    private async Task AssertProvenAsync(string factory, string pem, long expected)
    {
        using var folder = new TemporaryFolder();
        var (evidence, key) = (Path.Combine(folder.Path, "evidence.ndjson"), Path.Combine(folder.Path, "key.pem"));
        await File.WriteAllTextAsync(key, pem);
        var lines = new List<string>();
        foreach (var export in Exports)
        {
#pragma warning disable CA2100 // The documentation's statements.
            await using var command = plant.Database.CreateCommand($"{export} WHERE factory_id = $1");
#pragma warning restore CA2100
            command.Parameters.Add(new NpgsqlParameter { Value = factory });
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                lines.Add(reader.GetString(0));
        }
        await File.WriteAllLinesAsync(evidence, lines);

        var result = await new EvidenceAudit(PublicKeyFile.Read(key)).CheckAsync(
            evidence,
            (line, verdict, detail) => Assert.Fail($"{lines[line - 1]}: {verdict} {detail}"),
            CancellationToken.None
        );

        Assert.True(result.IsClean);
        Assert.Equal(expected, result.Total);
    }

    /// <summary>The statements of the section "Keeping and proving".</summary>
    private static IEnumerable<string> Exports =>
        File.ReadAllText(Path.Combine(SharedData.Root, "docs", "operations.md"))
            .Split("psql \"$FACTORYDB\" -Atc \"")[1..]
            .Select(text => text[..text.IndexOf('"', StringComparison.Ordinal)]);

    /// <summary>A batch of readings, each of an engine and so many seconds after the start, as a machine would send it.</summary>
    internal static string Sign(ReadingSigner signer, string factory, DateTime start, IEnumerable<(string EngineId, int Second)> readings)
    {
        var array =
            "["
            + string.Join(
                ", ",
                readings.Select(reading =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $$"""{"factory_id": "{{factory}}", "engine_id": "{{reading.EngineId}}", "timestamp": "{{start.AddSeconds(reading.Second):yyyy-MM-dd HH:mm:ss.fff}}", "rpm": {{reading.Second}}}"""
                    )
                )
            )
            + "]";
        var signature = new byte[512];
        var length = signer.Sign(Encoding.UTF8.GetBytes(array), signature);
        return $$"""{"batch": {{array}}, "signature": "{{Convert.ToBase64String(signature, 0, length)}}"}""";
    }
}
