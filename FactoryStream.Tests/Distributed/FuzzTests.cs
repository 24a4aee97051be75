using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FactoryStream.Signatures;
using FactoryStream.Tests.Fuzz;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace FactoryStream.Tests.Distributed;

/// <summary>
/// No byte from outside may hurt a neighbour: mutants of all vectors go through the whole running system between good lines of other
/// factories, by POST in every form and by a
/// pulled source. docs/reliability.md has the command for any number of them.
/// </summary>
[Collection(nameof(FuzzTests))]
// Alone: how many mutants fit into its time is the machine's, and not its neighbours'.
[CollectionDefinition(nameof(FuzzTests), DisableParallelization = true)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Senders = 4,
        LinesPerBody = 400,
        ElementsPerBody = 100,
        MutantsPerNeighbour = 20,
        Neighbours = 4;

    /// <summary>One in so many mutants is signed again by its factory's key, so that odd readings get beyond the Verifier.</summary>
    private const int MutantsPerSigned = 12;

    private const long MaxGrowthBytes = 150L << 20;

    /// <summary>How long the system may stand still before a test says that it does.</summary>
    private static readonly TimeSpan Standstill = TimeSpan.FromMinutes(2);

    private static readonly string[] Services = ["ingest", "verifier", "aggregator", "dashboard"];

    private readonly Lock gate = new();
    private long mutants,
        accepted,
        refused,
        refusedSum,
        neighbours,
        retries;

    [Fact]
    public async Task No_byte_from_outside_hurts_a_neighbour()
    {
        using var signer = ReadingSigner.Create();
        var watch = Stopwatch.StartNew();
        var pulled = MakeStream(signer, FuzzSettings.Mutants / 20);
        var begin = new TaskCompletionSource();
        var connections = 0;
        await using var factory = await FactoryAsync(async context =>
        {
            Interlocked.Increment(ref connections);
            await context.Response.Body.FlushAsync();
            await begin.Task.WaitAsync(context.RequestAborted);
            for (var at = 0; at < pulled.Length; at += 50_000)
                await context.Response.Body.WriteAsync(pulled.AsMemory(at, Math.Min(50_000, pulled.Length - at)), context.RequestAborted);
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var plant = await Plant.StartAsync(
            $"--Ingest:Sources:0={factory.Urls.First()}/stream",
            "--Ingest:SourceIdleTimeout=01:00:00",
            "--Ingest:MaxRejectedListed=100000",
            "--Ingest:MaxRefusedPerRequest=100000",
            "--Ingest:AdmissionTimeout=00:00:30",
            "--aggregator:IdleTimeout=00:00:10"
        );
        await EnrolAsync(plant, signer);
        var before = await InstancesAsync(plant);

        watch.Restart();
        begin.SetResult();
        var third = new TaskCompletionSource();
        var sending = Task.WhenAll(
            Enumerable.Range(0, Senders).Select(sender => Task.Run(() => SendAsync(plant, signer, sender, watch, third)))
        );
        await Task.WhenAny(third.Task, sending);
        var atThird = before.ToDictionary(instance => instance.Key, instance => ResidentBytes(instance.Value));
        await sending;
        var sentIn = watch.Elapsed;
        Take(ExpectedLines.OfLines(pulled, isSource: true));

        // Every line has a named outcome, and is kept or stored under it: the books balance to the record.
        var reasons = await CommittedAsync(plant);
        var took = watch.Elapsed;
        var atEnd = before.ToDictionary(instance => instance.Key, instance => ResidentBytes(instance.Value));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seed {FuzzSettings.Seed}, mutants {mutants}, good neighbours {neighbours}, requests sent again {retries}, "
                    + $"sent in {sentIn.TotalSeconds:F0} s, all committed in {took.TotalSeconds:F0} s"
            )
        );
        foreach (var (reason, count) in reasons)
            output.WriteLine($"{reason}: {count}");
        foreach (var (instance, bytes) in atEnd)
            output.WriteLine($"memory of {instance}: {atThird[instance] >> 20} MB at a third, {bytes >> 20} MB at the end");

        Assert.Equal(
            refusedSum,
            await plant.QueryAsync<long>(
                "SELECT coalesce(sum(('x' || substr(encode(sha256(line), 'hex'), 1, 8))::bit(32)::bigint), 0)::bigint "
                    + "FROM factory.rejections WHERE refused"
            )
        );
        await plant.AssertStoredOnceAsync("neighbour_", neighbours);
        Assert.Equal(before, await InstancesAsync(plant));
        Assert.Equal(1, connections);
        foreach (var (instance, bytes) in atEnd)
            Assert.True(
                bytes <= atThird[instance] + MaxGrowthBytes,
                $"{instance} has grown from {atThird[instance] >> 20} to {bytes >> 20} MB"
            );
    }

    private static async Task EnrolAsync(Plant plant, ReadingSigner signer)
    {
        var pem = signer.ExportPublicKeyPem();
        for (var neighbour = 0; neighbour < Neighbours; neighbour++)
            await plant.EnrolAsync($"neighbour_{neighbour}", pem);
        // The vectors' own keys beside ours: a mutant whose signed bytes are whole still verifies.
        var vectors = await File.ReadAllTextAsync(TestData.File("signed-readings/public-key.pem"));
        for (var number = 1; number <= 10; number++)
        {
            await plant.EnrolAsync($"factory_{number:D3}", vectors);
            await plant.EnrolAsync($"factory_{number:D3}", pem);
        }
        await plant.EnrolAsync("hostile_001", await File.ReadAllTextAsync(TestData.File("hostile/public-key.pem")));
        await plant.EnrolAsync("hostile_001", pem);
    }

    private async Task SendAsync(Plant plant, ReadingSigner signer, int sender, Stopwatch watch, TaskCompletionSource third)
    {
        // Seeds of their own, and the first one the source's.
        var seed = FuzzSettings.Seed + 1 + sender;
        var (mutator, random) = (new Mutator(seed), new Random(seed));
        using var client = plant.Client("ingest");
        var sent = 0;
        while (sent < FuzzSettings.Mutants / Senders && watch.Elapsed < FuzzSettings.Limit)
        {
            var round = random.Next(10);
            if (round < 8)
            {
                var body = new MemoryStream();
                for (var line = 0; line < LinesPerBody; line++)
                    Add(body, Next(mutator, random, signer), random.Next(8) == 0 ? "\r\n" : "\n", signer, line);
                await PostAsync(client, "application/x-ndjson", body.ToArray(), random.Next(4) == 0, ExpectedLines.OfLines(body.ToArray()));
                sent += Count(LinesPerBody);
            }
            else if (round == 8)
            {
                var elements = new List<byte[]>();
                for (var element = 0; element < ElementsPerBody; element++)
                {
                    if (element % MutantsPerNeighbour == 0)
                        elements.Add(Neighbour(signer));
                    elements.Add(NextJson(mutator, random, signer));
                }
                elements.Add(Neighbour(signer));
                byte[] body = [(byte)'[', .. elements.SelectMany(element => element.Append((byte)',')).SkipLast(1), (byte)']'];
                await PostAsync(client, "application/json", body, random.Next(4) == 0, ExpectedLines.OfElements(elements));
                sent += Count(ElementsPerBody);
            }
            else
            {
                for (var single = 0; single < 10; single++)
                {
                    var mutant = Next(mutator, random, signer).AsSpan().Trim(" \t\r\n"u8).ToArray();
                    // One that begins as an array or a byte order mark, or has lines, is of another form; that it is read as such is
                    // another test's.
                    if (mutant is [] or [(byte)'[', ..] or [0xEF, ..] || mutant.Contains((byte)'\n'))
                        continue;
                    await PostAsync(client, "application/json", mutant, random.Next(4) == 0, ExpectedLines.OfElements([mutant]));
                    sent += Count(1);
                }
            }
            if (Interlocked.Read(ref mutants) >= FuzzSettings.Mutants / 3 || watch.Elapsed > FuzzSettings.Limit / 3)
                third.TrySetResult();
        }
    }

    private byte[] MakeStream(ReadingSigner signer, int count)
    {
        var (mutator, random) = (new Mutator(FuzzSettings.Seed), new Random(FuzzSettings.Seed));
        var body = new MemoryStream();
        for (var line = 0; line < count; line++)
            Add(body, Next(mutator, random, signer), "\n", signer, line);
        Count(count);
        return body.ToArray();
    }

    /// <summary>A mutant, with a good line before it now and then.</summary>
    private void Add(MemoryStream body, byte[] mutant, string lineEnd, ReadingSigner signer, int line)
    {
        if (line % MutantsPerNeighbour == 0)
        {
            body.Write(Neighbour(signer));
            body.Write("\n"u8);
        }
        body.Write(mutant);
        body.Write(Encoding.ASCII.GetBytes(lineEnd));
    }

    private static byte[] Next(Mutator mutator, Random random, ReadingSigner signer)
    {
        var mutant = mutator.Next();
        if (random.Next(MutantsPerSigned) != 0 || EnvelopeOracle.Parse(mutant) is not { } envelope)
            return mutant;
        var data = Encoding.UTF8.GetBytes(envelope.Data);
        var signature = new byte[signer.SignatureLength];
        signer.Sign(data, signature);
        return
        [
            .. envelope.IsBatch ? "{\"batch\":"u8 : "{\"data\":"u8,
            .. data,
            .. ",\"signature\":\""u8,
            .. Encoding.ASCII.GetBytes(Convert.ToBase64String(signature)),
            .. "\"}"u8,
        ];
    }

    /// <summary>One that is an object or array of JSON, so that it cannot swallow the elements behind it.</summary>
    private static byte[] NextJson(Mutator mutator, Random random, ReadingSigner signer)
    {
        while (true)
        {
            var mutant = Next(mutator, random, signer).AsSpan().Trim(" \t\r\n"u8).ToArray();
            try
            {
                using var document = JsonDocument.Parse(mutant);
                if (document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                    return mutant;
            }
            catch (JsonException)
            {
                // The next one, then.
            }
        }
    }

    private byte[] Neighbour(ReadingSigner signer)
    {
        var number = Interlocked.Increment(ref neighbours);
        var measuredAt = new DateTime(2026, 1, 7, 0, 0, 0, DateTimeKind.Utc).AddMilliseconds(number * 100);
        return Encoding.UTF8.GetBytes(Plant.Sign(signer, $"neighbour_{number % Neighbours}", $"e{number % 7}", measuredAt, number % 1_000));
    }

    private int Count(int sent)
    {
        Interlocked.Add(ref mutants, sent);
        return sent;
    }

    private async Task PostAsync(HttpClient client, string mediaType, byte[] body, bool isCompressed, ExpectedLines expected)
    {
        var given = Stopwatch.StartNew();
        while (true)
        {
            using var content = new ByteArrayContent(isCompressed ? Compress(body) : body);
            content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
            if (isCompressed)
                content.Headers.ContentEncoding.Add("gzip");
            using var response = await client.PostAsync("/readings", content);
            var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            var listed = answer
                .GetProperty("rejected")
                .EnumerateArray()
                .ToDictionary(line => line.GetProperty("line").GetInt32(), line => line.GetProperty("reason").GetString()!);
            Assert.Equal(listed.Count, answer.GetProperty("rejected_count").GetInt32());
            var told = (int)response.StatusCode;
            var isAgain = told == 429;
            foreach (var (line, reason) in listed)
                Assert.True(
                    expected.Refused.TryGetValue(line, out var refusal) && refusal.Reason == reason,
                    $"line {line} was refused as {reason}: {answer}"
                );
            Take(
                new ExpectedLines(
                    answer.GetProperty("accepted").GetInt64(),
                    listed.Keys.ToDictionary(line => line, line => expected.Refused[line])
                )
            );
            if (isAgain)
            {
                Assert.True(given.Elapsed < Standstill, $"After {given.Elapsed} there is still no room.");
                Interlocked.Increment(ref retries);
                await Task.Delay(response.Headers.RetryAfter!.Delta!.Value, CancellationToken.None);
                continue;
            }
            var right =
                expected.Accepted > 0 ? 202
                : expected.Refused.Values.All(refusal => refusal.Reason == "too_large") ? 413
                : 400;
            Assert.True(
                (told, answer.GetProperty("accepted").GetInt64(), listed.Count) == (right, expected.Accepted, expected.Refused.Count),
                $"expected {right} with {expected.Accepted} accepted and {expected.Refused.Count} refused, but it was {told}: {answer}"
            );
            return;
        }
    }

    /// <summary>Puts lines on this test's own books.</summary>
    private void Take(ExpectedLines lines)
    {
        lock (gate)
        {
            accepted += lines.Accepted;
            refused += lines.Refused.Count;
            foreach (var refusal in lines.Refused.Values)
                refusedSum += System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(refusal.Kept));
        }
    }

    private static byte[] Compress(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(body);
        return compressed.ToArray();
    }

    /// <summary>Waits until all that was accepted or refused is in the database under a name, as long as it goes on; by name, how
    /// much.</summary>
    private async Task<SortedDictionary<string, long>> CommittedAsync(Plant plant)
    {
        var since = Stopwatch.StartNew();
        var last = "";
        while (true)
        {
            var outcomes = new SortedDictionary<string, long>(StringComparer.Ordinal);
            await using (
                var command = plant.Database.CreateCommand(
                    """
                    SELECT 'accepted', coalesce(sum(accepted), 0)::bigint FROM factory.ledger
                    UNION ALL SELECT 'stored', coalesce(sum(stored), 0)::bigint FROM factory.ledger
                    UNION ALL SELECT 'duplicates', coalesce(sum(duplicates), 0)::bigint FROM factory.ledger
                    UNION ALL SELECT CASE WHEN refused THEN 'refused ' ELSE 'rejected ' END || reason,
                        sum(count)::bigint FROM factory.rejection_counts GROUP BY reason, refused
                    """
                )
            )
            {
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync())
                    outcomes[reader.GetString(0)] = reader.GetInt64(1);
            }
            long Sum(string prefix) =>
                outcomes.Where(outcome => outcome.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(outcome => outcome.Value);
            var now = $"{string.Join(", ", outcomes)}, of {accepted} accepted and {refused} refused";
            if (
                outcomes["accepted"] == accepted
                && Sum("refused ") == refused
                && outcomes["stored"] + outcomes["duplicates"] + Sum("rejected ") == accepted
            )
                return outcomes;
            Assert.True(outcomes["accepted"] <= accepted && Sum("refused ") <= refused, $"More than was sent: {now}");
            if (now != last)
                since.Restart();
            last = now;
            Assert.True(since.Elapsed < Standstill, $"For {Standstill} there is only: {now}");
            await Task.Delay(500, CancellationToken.None);
        }
    }

    private static async Task<Dictionary<string, int>> InstancesAsync(Plant plant)
    {
        var instances = new Dictionary<string, int>();
        foreach (var service in Services)
        {
            foreach (var (instance, pid) in await plant.InstancesAsync(service))
                instances.Add(instance, pid);
        }
        Assert.True(instances.Count >= Services.Length, string.Join(", ", instances));
        return instances;
    }

    private static long ResidentBytes(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.WorkingSet64;
    }

    private static async Task<WebApplication> FactoryAsync(RequestDelegate stream)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/stream", stream);
        await app.StartAsync();
        return app;
    }
}
