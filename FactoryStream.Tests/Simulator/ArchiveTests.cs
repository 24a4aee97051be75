using System.Security.Cryptography;
using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Evidence;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Npgsql;
using Parquet;
using Parquet.Schema;

namespace FactoryStream.Tests.Simulator;

[Collection(DatabaseTests.Name)]
public sealed class ArchiveTests(PostgresFixture postgres)
{
    private static readonly DateTime Noon = new(2026, 2, 25, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task What_was_signed_is_read_back_to_the_byte_and_still_holds()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var file = Path.Combine(folder.Path, "day.parquet");
        ArchivedReading[] readings =
        [
            Signed(
                signer,
                "e",
                0,
                "{ \"factory_id\":\"f\",\t\"engine_id\" : \"e\", \"timestamp\":\"2026-02-25T12:00:00Z\", \"rpm\": 1.50e0 , "
                    + "\"größe\":1, \"\\u0041\":2}"
            ),
            Signed(
                signer,
                "é",
                1,
                "{\n  \"factory_id\": \"f\",\n  \"engine_id\": \"é\",\n  \"timestamp\": \"2026-02-25 12:00:01\"\n, \"𝄞\": -0.0}"
            ),
        ];

        var written = await WriteAsync(file, readings);

        Assert.Equal(2, written.Readings);
        Assert.Equal(written, await EvidenceArchive.DigestAsync(file, CancellationToken.None));
        var read = await EvidenceArchive.ReadAsync(file, CancellationToken.None).ToListAsync();
        Assert.Equal(readings.Select(reading => reading with { Signature = [] }), read.Select(reading => reading with { Signature = [] }));
        Assert.Equal(readings.Select(reading => reading.Signature), read.Select(reading => reading.Signature));
        var result = await Audit(signer)
            .CheckAsync(file, (row, verdict, detail) => Assert.Fail($"{row} {verdict} {detail}"), CancellationToken.None);
        Assert.Equal((true, 2L), (result.IsClean, result.Total));
    }

    [Fact]
    public async Task An_audit_finds_changed_bytes_another_key_and_columns_that_lie()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var file = Path.Combine(folder.Path, "day.parquet");
        var good = Enumerable.Range(0, 6).Select(second => Signed(signer, "e", second)).ToArray();
        await WriteAsync(
            file,
            [
                good[0],
                good[1] with
                {
                    Data = good[1].Data.Replace("\"rpm\": 1", "\"rpm\": 2", StringComparison.Ordinal),
                },
                good[2] with
                {
                    KeyId = "other",
                },
                good[3] with
                {
                    EngineId = "e2",
                },
                good[4] with
                {
                    MeasuredAt = Noon.AddDays(1),
                },
                good[5] with
                {
                    FactoryId = "g",
                },
            ]
        );
        var wrong = new List<string>();

        await Audit(signer)
            .CheckAsync(file, (row, verdict, detail) => wrong.Add($"{row} {verdict.ToName()} {detail}".TrimEnd()), CancellationToken.None);

        Assert.Equal(
            [
                "2 bad_signature",
                "3 unknown_key",
                "4 malformed column engine_id says e2, the signed bytes e",
                "5 malformed column measured_at says 2026-02-26T12:00:00.0000000Z, the signed bytes 2026-02-25T12:00:04.0000000Z",
                "6 malformed column factory_id says g, the signed bytes f",
            ],
            wrong
        );
    }

    [Fact]
    public async Task Any_change_of_any_field_is_another_digest()
    {
        using var folder = new TemporaryFolder();
        var reading = new ArchivedReading("f", "e", Noon, Noon, "k", "{}", [1, 2]);
        ArchivedReading[] others =
        [
            reading,
            reading with
            {
                FactoryId = "fe",
                EngineId = "",
            },
            reading with
            {
                EngineId = "x",
            },
            reading with
            {
                MeasuredAt = Noon.AddMicroseconds(1),
            },
            reading with
            {
                VerdictAt = Noon.AddMicroseconds(1),
            },
            reading with
            {
                KeyId = "",
            },
            reading with
            {
                Data = "{ }",
            },
            reading with
            {
                Signature = [1],
            },
            reading with
            {
                Signature = [1, 3],
            },
        ];

        var digests = new List<string>();
        foreach (var other in others)
            digests.Add((await WriteAsync(Path.Combine(folder.Path, $"{digests.Count}"), [other])).Sha256);

        Assert.Equal(others.Length, digests.Distinct().Count());
    }

    [Fact]
    public async Task More_than_fits_in_memory_at_once_keeps_its_order()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "day.parquet");

        await WriteAsync(
            file,
            [.. Enumerable.Range(0, 65_537).Select(i => new ArchivedReading("f", "e", Noon.AddMilliseconds(i), Noon, "k", "{}", [(byte)i]))]
        );

        var expected = 0;
        await foreach (var reading in EvidenceArchive.ReadAsync(file, CancellationToken.None))
            Assert.Equal(Noon.AddMilliseconds(expected++), reading.MeasuredAt);
        Assert.Equal(65_537, expected);
    }

    [Fact]
    public async Task A_damaged_file_is_named_and_another_Parquet_file_as_well()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var (cut, other) = (Path.Combine(folder.Path, "cut.parquet"), Path.Combine(folder.Path, "other.parquet"));
        await WriteAsync(cut, [Signed(signer, "e", 0)]);
        await File.WriteAllBytesAsync(cut, (await File.ReadAllBytesAsync(cut))[..^20]);
        var field = new DataField<int>("x");
        await using (var stream = File.Create(other))
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream);
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync<int>(field, Enumerable.Range(0, 1).ToArray());
        }

        Assert.Contains(
            "cut.parquet cannot be read",
            (await Assert.ThrowsAsync<UsageException>(() => Audit(signer).CheckAsync(cut, null, CancellationToken.None))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no column factory_id",
            (await Assert.ThrowsAsync<UsageException>(() => Audit(signer).CheckAsync(other, null, CancellationToken.None))).Message,
            StringComparison.Ordinal
        );
    }

    [SkippableFact]
    public async Task A_partition_is_archived_by_command_and_audited_without_the_database()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var (file, keys) = (Path.Combine(folder.Path, "day.parquet"), Path.Combine(folder.Path, "key.pem"));
        await File.WriteAllTextAsync(keys, signer.ExportPublicKeyPem());
        var database = await StoreAsync(signer, Signed(signer, "b", 1), Signed(signer, "a", 2), Signed(signer, "a", 1));

        var (exitCode, output, error) = await RunAsync("archive", file, "--partition", "readings_20260225", "--database", database);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.StartsWith("3 readings of readings_20260225, ", output, StringComparison.Ordinal);
        Assert.Equal(
            ["a 1", "a 2", "b 1"],
            await EvidenceArchive
                .ReadAsync(file, CancellationToken.None)
                .Select(reading => $"{reading.EngineId} {reading.MeasuredAt.Second}")
                .Order()
                .ToListAsync()
        );
        Assert.Equal((0, "accepted       3\n", ""), await RunAsync("audit", file, "--public-keys", keys));
        Assert.Equal([file, keys], Directory.EnumerateFiles(folder.Path).Order());

        var again = await RunAsync("archive", file, "--partition", "readings_20260225", "--database", database);
        Assert.Contains("evidence is not overwritten", again.Error, StringComparison.Ordinal);
        var unknown = await RunAsync("archive", Path.Combine(folder.Path, "x"), "--partition", "readings_20260226", "--database", database);
        Assert.Contains("There are: readings_20260225", unknown.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_the_database_forged_is_not_archived()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var forged = Signed(signer, "e", 1);
        var database = await StoreAsync(
            signer,
            Signed(signer, "e", 0),
            forged with
            {
                Data = forged.Data.Replace("\"rpm\": 1", "\"rpm\": 9", StringComparison.Ordinal),
            }
        );

        var (exitCode, _, error) = await RunAsync(
            "archive",
            Path.Combine(folder.Path, "day.parquet"),
            "--partition",
            "readings_20260225",
            "--database",
            database
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("1 of 2 readings in the database are not what was signed", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public async Task A_reading_without_a_signature_of_its_own_is_not_archived_as_if_it_had_one()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var connectionString = await StoreAsync(signer, Signed(signer, "e", 0), Signed(signer, "e", 1));
        await using (var database = NpgsqlDataSource.Create(connectionString))
        {
            await database.RowsAsync(
                "ALTER TABLE factory.readings DROP CONSTRAINT IF EXISTS ck_readings_evidence, ALTER COLUMN signature DROP NOT NULL"
            );
            await database.RowsAsync("UPDATE factory.readings SET signature = NULL WHERE measured_at > $1", Noon);
        }

        var (exitCode, _, error) = await RunAsync(
            "archive",
            Path.Combine(folder.Path, "day.parquet"),
            "--partition",
            "readings_20260225",
            "--database",
            connectionString
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("1 readings have no signature of their own", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public async Task The_documented_export_keeps_the_line_breaks_that_were_signed_and_the_audit_finds_it_true()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var connectionString = new NpgsqlConnectionStringBuilder(
            await StoreAsync(
                signer,
                Signed(
                    signer,
                    "e",
                    0,
                    "{\n\t\"factory_id\": \"f\",\r\n\n  \"engine_id\": \"e\", \"timestamp\": \"2026-02-25 12:00:00\",\n\"größe\\\\n\": 1\n}"
                ),
                Signed(signer, "e", 1)
            )
        );
        var address =
            $"host={connectionString.Host} port={connectionString.Port} user={connectionString.Username} "
            + $"dbname={connectionString.Database}";
        var evidence = Path.Combine(folder.Path, "evidence.ndjson");
        var exports = System.Text.RegularExpressions.Regex.Matches(
            await File.ReadAllTextAsync(Path.Combine(SharedData.Root, "docs", "operations.md")),
            "psql \"\\$FACTORYDB\" -Atc \"(?<sql>[^\"]+)\""
        );
        Assert.Equal(2, exports.Count);
        await using (var file = File.Create(evidence))
        {
            foreach (System.Text.RegularExpressions.Match export in exports)
                await file.WriteAsync(await PsqlAsync(address, export.Groups["sql"].Value));
        }

        var result = await Audit(signer)
            .CheckAsync(evidence, (line, verdict, detail) => Assert.Fail($"{line} {verdict} {detail}"), CancellationToken.None);

        Assert.Equal((2, true), (result[Verdict.Accepted], result.IsClean));
        Assert.Contains("\r\n\n  \"engine_id\"", await File.ReadAllTextAsync(evidence), StringComparison.Ordinal);
    }

    private static async Task<byte[]> PsqlAsync(string address, string sql)
    {
        System.Diagnostics.Process? psql = null;
        try
        {
            psql = System.Diagnostics.Process.Start(
                new System.Diagnostics.ProcessStartInfo("psql", [address, "-Atc", sql]) { RedirectStandardOutput = true }
            );
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Skip.If(true, "no psql on this machine");
        }
        using var process = psql!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output, timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }

    private static ArchivedReading Signed(ReadingSigner signer, string engine, int second, string? data = null)
    {
        data ??= $$"""{"factory_id": "f", "engine_id": "{{engine}}", "timestamp": "2026-02-25 12:00:{{second:D2}}", "rpm": 1}""";
        var signature = new byte[512];
        return new ArchivedReading(
            "f",
            engine,
            Noon.AddSeconds(second),
            Noon.AddSeconds(second).AddMicroseconds(7),
            "k",
            data,
            signature[..signer.Sign(Encoding.UTF8.GetBytes(data), signature, SaltLength.Digest)]
        );
    }

    private static EvidenceAudit Audit(ReadingSigner signer)
    {
        Assert.True(RsaPublicKey.TryParsePem(signer.ExportPublicKeyPem(), out var key, out _));
        return new EvidenceAudit([new PublicKey(key, "k", "f")]);
    }

    private static async Task<ArchiveDigest> WriteAsync(string file, ArchivedReading[] readings)
    {
        await using var stream = File.Create(file);
        return await EvidenceArchive.WriteAsync(stream, readings.ToAsyncEnumerable(), CancellationToken.None);
    }

    /// <summary>A database with a day's partition of these readings.</summary>
    private async Task<string> StoreAsync(ReadingSigner signer, params ArchivedReading[] readings)
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await database.RowsAsync("UPDATE factory.installation SET daily_since = '2026-02-01'");
        await database.RowsAsync(
            """
            INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at) VALUES ('k', 'f', 'RSASSA-PSS-SHA256', $1, now())
            """,
            PemEncoding.TryFind(signer.ExportPublicKeyPem(), out var pem)
                ? Convert.FromBase64String(signer.ExportPublicKeyPem()[pem.Base64Data])
                : []
        );
        foreach (var engine in readings.Select(reading => reading.EngineId).Distinct())
            await database.RowsAsync("INSERT INTO factory.engines (factory_id, engine_id) VALUES ('f', $1)", engine);
        await new TablePartitions(database, "readings").EnsureAsync(Noon, CancellationToken.None);
        foreach (var reading in readings)
        {
            await database.RowsAsync(
                """
                INSERT INTO factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature)
                SELECT engine_no, key_no, $2, $3, $4, $5::json, $6 FROM factory.engines, factory.signing_keys WHERE engine_id = $1
                """,
                reading.EngineId,
                reading.MeasuredAt,
                reading.VerdictAt,
                SHA256.HashData(Encoding.UTF8.GetBytes(reading.Data)),
                reading.Data,
                reading.Signature
            );
        }
        return connectionString;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = await FactoryStream.Simulator.Commands.CommandLine.RunAsync(args, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
