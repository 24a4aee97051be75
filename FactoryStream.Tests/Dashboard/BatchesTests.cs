using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FactoryStream.Audit.Evidence;
using FactoryStream.Contracts;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class BatchesTests(PostgresFixture postgres)
{
    // No writer of JSON would lay it out like this: the bytes are the machine's own.
    private const string Batch = """
        [ {"factory_id":"f", "engine_id":"e", "timestamp":"2026-02-25 06:13:20", "rpm": 1.50},
          {"factory_id":"f", "engine_id":"é", "timestamp":"2026-02-25 06:13:21", "rpm": 2} ]
        """;

    [SkippableFact]
    public async Task A_batch_is_found_by_its_hash_with_its_exact_bytes_and_its_file_is_true_offline()
    {
        var (signer, key) = TestKeys.Pair();
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database => await database.BatchAsync(await database.EnrolAsync("f", "k1", key), signer, Seeds.Start.AddSeconds(1), Batch)
        );
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Batch)));

        var batch = await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/batches/{sha256}");
        var envelope = await dashboard.Client.GetAsync($"/api/batches/{sha256.ToUpperInvariant()}/envelope");

        Assert.Equal(Batch, Encoding.UTF8.GetString(batch.GetProperty("data_base64").GetBytesFromBase64()));
        Assert.Equal(
            (sha256, "f", "k1"),
            (batch.GetProperty("sha256").GetString(), batch.GetProperty("factory_id").GetString(), batch.GetProperty("key_id").GetString())
        );
        Assert.Equal("application/x-ndjson", envelope.Content.Headers.ContentType?.MediaType);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "batch.ndjson");
        await File.WriteAllBytesAsync(file, await envelope.Content.ReadAsByteArrayAsync());
        var result = await new EvidenceAudit([new PublicKey(key, "k1", "f")]).CheckAsync(
            file,
            (line, verdict, detail) => Assert.Fail($"{line} {verdict} {detail}"),
            CancellationToken.None
        );
        Assert.True(result.IsClean);
        Assert.True(result[Verdict.Accepted] > 0);
    }

    [SkippableFact]
    public async Task What_is_no_hash_and_what_is_no_batch_is_said()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        Assert.Equal(HttpStatusCode.BadRequest, (await dashboard.Client.GetAsync("/api/batches/abc")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await dashboard.Client.GetAsync("/api/batches/abc/envelope")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await dashboard.Client.GetAsync($"/api/batches/{new string('0', 64)}")).StatusCode);
    }
}
