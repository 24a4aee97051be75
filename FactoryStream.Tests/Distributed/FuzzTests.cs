using System.Diagnostics;
using System.Globalization;
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
/// factories, by POST in every form and by a pulled source. docs/reliability.md has the command for any number of them.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Senders = 4;

    private const long MaxGrowthBytes = 150L << 20;

    private static readonly string[] Services = ["ingest", "verifier", "aggregator", "dashboard"];

    private readonly FuzzLedger ledger = new();

    [Fact]
    public async Task No_byte_from_outside_hurts_a_neighbour()
    {
        using var signer = ReadingSigner.Create();
        var watch = Stopwatch.StartNew();
        var pulled = new FuzzLines(signer, ledger, FuzzSettings.Seed).Stream(FuzzSettings.Mutants / 20);
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
        await using var system = await RunningSystem.StartAsync(
            $"--Ingest:Sources:0={factory.Urls.First()}/stream",
            "--Ingest:SourceIdleTimeout=01:00:00",
            "--Ingest:MaxRejectedListed=100000",
            "--Ingest:MaxRefusedPerRequest=100000",
            "--Ingest:AdmissionTimeout=00:00:30",
            "--aggregator:IdleTimeout=00:00:10"
        );
        await EnrolAsync(system, signer);
        var before = await InstancesAsync(system);

        // Seeds of their own, and the first one the source's.
        FuzzSender Sender(int sender) => new(system, new FuzzLines(signer, ledger, FuzzSettings.Seed + 1 + sender), ledger);

        watch.Restart();
        begin.SetResult();
        var third = new TaskCompletionSource();
        var sending = Task.WhenAll(
            Enumerable
                .Range(0, Senders)
                .Select(sender => Task.Run(() => Sender(sender).SendAsync(FuzzSettings.Mutants / Senders, watch, third)))
        );
        await Task.WhenAny(third.Task, sending);
        var atThird = before.ToDictionary(instance => instance.Key, instance => ResidentBytes(instance.Value));
        await sending;
        var sentIn = watch.Elapsed;
        ledger.Add(ExpectedLines.OfLines(pulled, isSource: true));

        // Every line has a named outcome, and is kept or stored under it: the ledger balances to the record.
        var reasons = await ledger.OutcomesAsync(system);
        var took = watch.Elapsed;
        var atEnd = before.ToDictionary(instance => instance.Key, instance => ResidentBytes(instance.Value));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seed {FuzzSettings.Seed}, mutants {ledger.Mutants}, good neighbours {ledger.Neighbours}, "
                    + $"requests sent again {ledger.Retries}, "
                    + $"sent in {sentIn.TotalSeconds:F0} s, all with an outcome in {took.TotalSeconds:F0} s"
            )
        );
        foreach (var (reason, count) in reasons)
            output.WriteLine($"{reason}: {count}");
        foreach (var (instance, bytes) in atEnd)
            output.WriteLine($"memory of {instance}: {atThird[instance] >> 20} MB at a third, {bytes >> 20} MB at the end");

        Assert.Equal(
            ledger.RefusedSum,
            await system.QueryAsync<long>(
                "SELECT coalesce(sum(('x' || substr(encode(sha256(line), 'hex'), 1, 8))::bit(32)::bigint), 0)::bigint "
                    + "FROM factory.rejections WHERE refused"
            )
        );
        await system.AssertStoredOnceAsync("neighbour_", ledger.Neighbours);
        Assert.Equal(before, await InstancesAsync(system));
        Assert.Equal(1, connections);
        foreach (var (instance, bytes) in atEnd)
            Assert.True(
                bytes <= atThird[instance] + MaxGrowthBytes,
                $"{instance} has grown from {atThird[instance] >> 20} to {bytes >> 20} MB"
            );
    }

    private static async Task EnrolAsync(RunningSystem system, ReadingSigner signer)
    {
        var pem = signer.ExportPublicKeyPem();
        for (var neighbour = 0; neighbour < FuzzLines.Neighbours; neighbour++)
            await system.EnrolAsync($"neighbour_{neighbour}", pem);
        // The vectors' own keys beside ours: a mutant whose signed bytes are whole still verifies.
        var vectors = await File.ReadAllTextAsync(TestData.File("signed-readings/public-key.pem"));
        for (var number = 1; number <= 10; number++)
        {
            await system.EnrolAsync($"factory_{number:D3}", vectors);
            await system.EnrolAsync($"factory_{number:D3}", pem);
        }
        await system.EnrolAsync("hostile_001", await File.ReadAllTextAsync(TestData.File("hostile/public-key.pem")));
        await system.EnrolAsync("hostile_001", pem);
    }

    private static async Task<Dictionary<string, int>> InstancesAsync(RunningSystem system)
    {
        var instances = new Dictionary<string, int>();
        foreach (var service in Services)
        {
            foreach (var (instance, pid) in await system.InstancesAsync(service))
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
