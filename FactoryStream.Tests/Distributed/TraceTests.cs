using System.Diagnostics;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.Signatures;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Trace;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class TraceTests(SharedPlant shared)
{
    private readonly Plant plant = shared.Plant;

    [Fact]
    public async Task One_trace_leads_from_the_request_to_the_transaction()
    {
        using var signer = ReadingSigner.Create();
        await plant.EnrolAsync("traced", signer.ExportPublicKeyPem());
        string[] services = ["ingest", "verifier", "aggregator"];
        foreach (var service in services)
            await plant.CommandAsync(service, KnownResourceCommands.StopCommand);
        try
        {
            // The three services again, on the same broker and database, but in this process, so that their spans can be seen.
            string[] args =
            [
                $"--ConnectionStrings:kafka={await plant.App.GetConnectionStringAsync("kafka")}",
                $"--ConnectionStrings:factorydb={await plant.App.GetConnectionStringAsync("factorydb")}",
                "--urls=http://127.0.0.1:0",
                "--Telemetry:TracesPerSecond=-1",
                "--environment=Production",
            ];
            var spans = new List<Activity>();
            await using var ingest = await StartAsync("FactoryStream.Ingest");
            await using var verifier = await StartAsync("FactoryStream.Verifier");
            await using var aggregator = await StartAsync("FactoryStream.Aggregator");

            using var client = new HttpClient { BaseAddress = new Uri(Address(ingest)), Timeout = Plant.Patience };
            await Plant.EventuallyAsync(async () => (await client.GetAsync("/health")).IsSuccessStatusCode, healthy => healthy);
            using var content = new StringContent(
                Plant.Sign(signer, "traced", "e1", new DateTime(2026, 1, 4, 0, 0, 0, DateTimeKind.Utc), 1),
                null,
                "application/json"
            );
            // A trace of its own: the tracers of this process hear the requests of other tests as well.
            using var own = new Activity("test") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();
            using var response = await client.PostAsync("/readings", content);
            Assert.Equal(202, (int)response.StatusCode);
            own.Stop();
            await plant.CommittedAsync("traced", 1);

            var server = await Plant.EventuallyAsync(
                () =>
                    Task.FromResult(
                        Snapshot()
                            .FirstOrDefault(span =>
                                span.TraceId == own.TraceId
                                && span.Kind == ActivityKind.Server
                                && span.DisplayName.Contains("/readings", StringComparison.Ordinal)
                            )
                    ),
                span => span is not null
            );
            var trace = await Plant.EventuallyAsync(
                () => Task.FromResult(Snapshot().Where(span => span.TraceId == server!.TraceId).ToArray()),
                trace => trace.Any(span => span.Source.Name == "FactoryStream.Aggregator")
            );

            // Each step is the child of the one before.
            string[] steps = ["FactoryStream.Ingest", "FactoryStream.Verifier", "FactoryStream.Aggregator"];
            Assert.All(steps, step => Assert.Contains(trace, span => span.Source.Name == step));
            var commit = trace.Single(span => span.Source.Name == "FactoryStream.Aggregator");
            var path = new List<string>();
            for (var span = commit; span is not null; span = trace.FirstOrDefault(parent => parent.SpanId == span.ParentSpanId))
                path.Insert(0, span.Source.Name);
            // Before the server's span is that of the test's own HTTP client.
            Assert.Equal(server!.Source.Name, path.First(source => source != "System.Net.Http"));
            Assert.Equal(steps, path.Where(steps.Contains).Distinct());

            Activity[] Snapshot()
            {
                lock (spans)
                {
                    // In one process each of the three services' tracers hears every source.
                    return [.. spans.DistinctBy(span => span.SpanId)];
                }
            }

            Task<InProcessService> StartAsync(string assembly) =>
                InProcessService.StartAsync(
                    assembly,
                    args,
                    collection =>
                        collection.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddInMemoryExporter(new LockedCollection(spans)))
                );
        }
        finally
        {
            foreach (var service in services)
                await plant.CommandAsync(service, KnownResourceCommands.StartCommand);
            foreach (var service in services)
                await plant.HealthyAsync(service);
        }
    }

    private static string Address(InProcessService service) =>
        service
            .Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
            .Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()!
            .Addresses.First();

    /// <summary>The exporters of three services write into one list from their own threads.</summary>
    private sealed class LockedCollection(List<Activity> spans) : ICollection<Activity>
    {
        public int Count => spans.Count;

        public bool IsReadOnly => false;

        public void Add(Activity item)
        {
            lock (spans)
                spans.Add(item);
        }

        public void Clear() => throw new NotSupportedException();

        public bool Contains(Activity item) => throw new NotSupportedException();

        public void CopyTo(Activity[] array, int arrayIndex) => throw new NotSupportedException();

        public bool Remove(Activity item) => throw new NotSupportedException();

        public IEnumerator<Activity> GetEnumerator() => throw new NotSupportedException();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
