using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using FactoryStream.Contracts;
using FactoryStream.Ingest;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Topics;
using FactoryStream.InMemoryKafka;
using FactoryStream.Tests.Distributed;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

/// <summary>What Ingest makes of what the Verifier tells, and what it lets factories without a key take.</summary>
public sealed class UnknownFactoriesTests
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Factories_without_a_key_take_at_most_their_share_and_others_are_still_accepted()
    {
        await using var app = await StartAsync(1, ("MaxBacklogReadings", 8), ("AdmissionTimeout", AtOnce));
        app.Backlog.Learn(["f1"]);

        // A quarter of eight, whatever they call themselves, and whether the line is well formed.
        const string malformed = """{"data": {"factory_id": "invented-2"}}""";
        var cut = await app.PostAsync(Envelope("invented-1"), malformed, Envelope("invented-3"), Envelope("f1"));
        var known = await app.PostAsync(Enumerable.Range(0, 6).Select(value => Envelope("f1", value: value)));

        // Not after the time that others wait for room: the test would run into its own patience.
        Assert.Equal(
            (HttpStatusCode.TooManyRequests, 1, 1, TimeSpan.FromSeconds(1)),
            (cut.Status, cut.Accepted, cut.RejectedCount, cut.RetryAfter)
        );
        Assert.Contains("without a key", cut.Detail, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Accepted, 6), (known.Status, known.Accepted));
        Assert.Equal((2, 8), (app.Backlog.UnknownReadings, app.Backlog.Readings));

        // What is stored or known to be lost makes room again.
        app.Services.GetRequiredService<SignedTopicWriter>().Partitions![0].Observe(long.MaxValue, 0);
        app.Services.GetRequiredService<RejectedTopicWriter>().Observe(0, long.MaxValue, 0);
        Assert.Equal((0, 0), (app.Backlog.UnknownReadings, app.Backlog.UnknownBytes));
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope("invented-1"))).Status);
    }

    [Fact]
    public async Task Before_the_Verifier_has_answered_no_factory_is_limited()
    {
        await using var app = await StartAsync(1, ("MaxBacklogReadings", 8), ("AdmissionTimeout", "00:00:00"));

        var answer = await app.PostAsync(Enumerable.Range(0, 8).Select(value => Envelope("any", value: value)));

        Assert.Equal((HttpStatusCode.Accepted, 8), (answer.Status, answer.Accepted));
    }

    [Fact]
    public async Task A_batch_of_a_factory_without_a_key_is_of_that_share_as_well()
    {
        await using var app = await StartAsync(4, ("MaxBacklogReadings", 16));
        app.Backlog.Learn(["f1"]);
        var engines = Enumerable.Range(0, 4).Select(engine => $"e{engine}").ToArray();

        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Batch("invented", engines))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await app.PostAsync(Batch("invented", engines))).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Batch("f1", engines))).Status);
        Assert.Equal(4, app.Backlog.UnknownReadings);
    }

    [Fact]
    public async Task The_Verifiers_list_of_factories_is_kept_while_the_Verifier_is_away()
    {
        var answer = """{"factories": ["f1"], "clock": null}""";
        await using var verifier = await StubAsync(() => answer);
        await using var app = await StartAsync(1);
        var log = new RecordingLog();
        using var worker = Watch(app, verifier, log);
        await worker.StartAsync(CancellationToken.None);
        await UntilAsync(() => app.Backlog.IsUnknown("f2"));
        Assert.False(app.Backlog.IsUnknown("f1"));

        answer = "no JSON";
        await UntilAsync(() => Told(log, 41) == 1);
        Assert.True(app.Backlog.IsUnknown("f2"));

        answer = """{"factories": ["f1", "f2"]}""";
        await UntilAsync(() => !app.Backlog.IsUnknown("f2"));
        await worker.StopAsync(CancellationToken.None);
        Assert.Equal((1, 1), (Told(log, 41), Told(log, 42)));
    }

    [Fact]
    public async Task A_clock_that_differs_from_the_databases_is_logged_once_until_it_agrees_again()
    {
        var ahead = TimeSpan.FromSeconds(30);
        var asked = 0;
        await using var verifier = await StubAsync(() =>
        {
            Interlocked.Increment(ref asked);
            var clock = (TimeProvider.System.GetUtcNow() + ahead).ToString("O", CultureInfo.InvariantCulture);
            return $"{{\"factories\": [], \"clock\": \"{clock}\"}}";
        });
        await using var app = await StartAsync(1);
        var log = new RecordingLog();
        using var worker = Watch(app, verifier, log);
        await worker.StartAsync(CancellationToken.None);
        await UntilAsync(() => Volatile.Read(ref asked) > 3);
        Assert.InRange(worker.ClockDifference!.Value.TotalSeconds, 25, 35);
        Assert.Equal(1, Told(log, 43));

        ahead = TimeSpan.Zero;
        await UntilAsync(() => worker.ClockDifference is null);
        await worker.StopAsync(CancellationToken.None);
        Assert.Equal((1, 1), (Told(log, 43), Told(log, 44)));
    }

    [Fact]
    public async Task Health_is_degraded_while_the_databases_clock_differs()
    {
        using var kafka = new InMemoryBroker(TopicNames.All, 1);
        var behind = TimeSpan.FromHours(-1);
        await using var verifier = await StubAsync(() =>
        {
            var clock = (TimeProvider.System.GetUtcNow() + behind).ToString("O", CultureInfo.InvariantCulture);
            return $"{{\"factories\": [], \"clock\": \"{clock}\"}}";
        });
        await using var service = await InProcessService.StartAsync(
            "FactoryStream.Ingest",
            [
                $"--ConnectionStrings:kafka={kafka.BootstrapServers}",
                "--urls=http://127.0.0.1:0",
                "--Ingest:MaxPartitionBytes=2500000",
                $"--services:verifier:http:0={verifier.Urls.First()}",
                "--Ingest:VerifierPollInterval=00:00:00.100",
                "--Logging:LogLevel:Default=None",
            ],
            _ => { }
        );
        var health = service.Services.GetRequiredService<HealthCheckService>();

        var told = await DescriptionAsync(HealthStatus.Degraded);
        Assert.Matches("^The database's clock is 3[56][0-9]{2} s behind this machine's[.]$", told);

        behind = TimeSpan.Zero;
        Assert.Null(await DescriptionAsync(HealthStatus.Healthy));

        async Task<string?> DescriptionAsync(HealthStatus status)
        {
            HealthReportEntry entry = default;
            await RunningSystem.EventuallyAsync(
                async () => (entry = (await health.CheckHealthAsync()).Entries["ingest"]).Status,
                found => found == status
            );
            return entry.Description;
        }
    }

    private static int Told(RecordingLog log, int id) => log.Ids.Count(told => told == id);

    private static VerifierWatchWorker Watch(IngestApp app, WebApplication verifier, RecordingLog log) =>
        new(
            app.Backlog,
            new ConfigurationBuilder()
                .AddInMemoryCollection([KeyValuePair.Create("services:verifier:http:0", (string?)verifier.Urls.First())])
                .Build(),
            Options.Create(new IngestOptions { VerifierPollInterval = TimeSpan.FromMilliseconds(100) }),
            TimeProvider.System,
            new IngestLog(log)
        );

    private static async Task<WebApplication> StubAsync(Func<string> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/keys/factories", () => Results.Text(answer(), "application/json"));
        await app.StartAsync();
        return app;
    }

    private sealed class RecordingLog : ILogger<IngestLog>
    {
        /// <summary>The ids of what was logged.</summary>
        public ConcurrentQueue<int> Ids { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Ids.Enqueue(eventId.Id);
    }
}
