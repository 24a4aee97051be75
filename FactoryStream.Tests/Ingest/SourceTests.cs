using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest;
using FactoryStream.Ingest.Sources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class SourceTests
{
    [Theory]
    [InlineData("{\"data\": 1}", "{\"data\": 1}")]
    [InlineData("data: {}", "{}")]
    [InlineData("data:{}", "{}")]
    [InlineData("data:", null)]
    [InlineData(": keep-alive", null)]
    [InlineData("event: reading", null)]
    [InlineData("id: 7", null)]
    [InlineData("retry: 1000", null)]
    [InlineData("nonsense", "nonsense")]
    public void Events_are_unwrapped(string line, string? envelope)
    {
        var has = ServerSentEvents.TryUnwrap(System.Text.Encoding.UTF8.GetBytes(line), out var bytes);
        Assert.Equal(envelope, has ? System.Text.Encoding.UTF8.GetString(bytes.Span) : null);
    }

    [Fact]
    public async Task A_source_is_pulled_and_connected_to_again_whenever_it_ends()
    {
        var connections = 0;
        await using var factory = await FactoryAsync(async context =>
        {
            var connection = Interlocked.Increment(ref connections);
            if (connection == 2)
            {
                context.Response.StatusCode = 500;
                return;
            }
            // As the Python factories say, though it is lines.
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"{Envelope(value: connection)}\nnonsense\n\ndata: {Envelope(value: 100 + connection)}\n\n");
            await context.Response.Body.FlushAsync();
            if (connection == 3)
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(
            1,
            ("Sources:0", Address(factory)),
            ("SourceMinDelay", "00:00:00.010"),
            ("SourceMaxDelay", "00:00:00.020")
        );
        await UntilAsync(() => app.Kafka.Lines.Count == 4);

        Assert.Equal([Envelope(value: 1), Envelope(value: 101), Envelope(value: 3), Envelope(value: 103)], app.Kafka.Lines);
        await UntilAsync(() => app.Kafka.To(TopicNames.Rejected).Count == 2);
        Assert.Equal(["nonsense", "nonsense"], app.Kafka.To(TopicNames.Rejected).Select(message => message.Value));
    }

    [Fact]
    public async Task A_source_that_went_idle_is_connected_to_anew()
    {
        var connections = 0;
        await using var factory = await FactoryAsync(async context =>
        {
            await context.Response.WriteAsync($"{Envelope(value: Interlocked.Increment(ref connections))}\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(
            1,
            ("Sources:0", Address(factory)),
            ("SourceIdleTimeout", "00:00:01"),
            ("SourceMinDelay", "00:00:00.010")
        );
        await UntilAsync(() => app.Kafka.Lines.Count >= 2);
        Assert.Equal([Envelope(value: 1), Envelope(value: 2)], app.Kafka.Lines.Take(2));
    }

    [Fact]
    public async Task Pulled_readings_are_sent_to_Kafka_until_it_acknowledges_them()
    {
        await using var factory = await FactoryAsync(async context =>
        {
            await context.Response.WriteAsync($"{Envelope(value: 1)}\n{Envelope(value: 2)}\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(0, ("Sources:0", Address(factory)), ("SourceMinDelay", "00:00:00.010"));
        app.Kafka.AcknowledgesItself = false;
        app.Open(1);
        await UntilAsync(() => app.Kafka.Lines.Count == 2);
        app.Kafka.Acknowledge(ErrorCode.Local_MsgTimedOut);
        // Kafka is away: nothing more is given to it until it answers.
        await UntilAsync(() => app.Backlog.IsKafkaAway);
        app.Backlog.KafkaAnswers();
        await UntilAsync(() => app.Kafka.Lines.Count == 4);
        app.Kafka.Acknowledge();

        Assert.Equal([Envelope(value: 1), Envelope(value: 2)], app.Kafka.Lines.Skip(2));
    }

    [Fact]
    public async Task A_source_whose_host_answers_nothing_is_tried_until_it_does_and_ends_neither_another_nor_the_service()
    {
        using var silence = await IdleHost.ListenAsync();
        await using var other = await FactoryAsync(async context =>
        {
            await context.Response.WriteAsync($"{Envelope(value: 1)}\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(
            1,
            ("Sources:0", $"http://user:secret@127.0.0.1:{silence.Port}/stream?token=1"),
            ("Sources:1", Address(other)),
            ("SourceConnectTimeout", "00:00:00.2"),
            ("SourceMinDelay", "00:00:00.010"),
            ("SourceMaxDelay", "00:00:00.020")
        );
        var states = app.Services.GetRequiredService<SourceStates>();

        await UntilAsync(() => states.All[0].Failures >= 2);
        Assert.EndsWith("the last: no connection within 00:00:00.2000000", states.All[0].ToString(), StringComparison.Ordinal);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        var told = Assert.IsAssignableFrom<IReadOnlyDictionary<string, string>>((await HealthAsync(app)).Data["sources"]);
        Assert.Equal([$"http://127.0.0.1:{silence.Port}/stream", Address(other)], told.Keys);
        Assert.StartsWith("lost since 2", told[$"http://127.0.0.1:{silence.Port}/stream"], StringComparison.Ordinal);
        Assert.Equal("connected", told[Address(other)]);
        Assert.Equal([0, 1], Connected(app));
        Assert.False(app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);

        // Its host is back.
        silence.Dispose();
        await using var back = await FactoryAsync(context => context.Response.WriteAsync($"{Envelope(value: 2)}\n"), silence.Port);
        await UntilAsync(() => app.Kafka.Lines.Count >= 2);
        Assert.Equal([Envelope(value: 1), Envelope(value: 2)], app.Kafka.Lines.Take(2));
    }

    [Fact]
    public async Task A_source_that_fails_unexpectedly_is_tried_again()
    {
        await using var factory = await FactoryAsync(async context =>
        {
            await context.Response.WriteAsync($"{Envelope(value: 1)}\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(1);
        var delay = TimeSpan.FromMilliseconds(1);
        var options = Options.Create(
            new IngestOptions
            {
                Sources = [Address(factory)],
                SourceMinDelay = delay,
                SourceMaxDelay = delay,
            }
        );
        var clock = new FailingClock { Failures = 2 };
        var states = new SourceStates(options, app.Services.GetRequiredService<IngestMetrics>(), clock);
        using var worker = ActivatorUtilities.CreateInstance<SourceWorker>(app.Services, states, options, clock);
        await worker.StartAsync(CancellationToken.None);

        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        Assert.Equal(0, clock.Failures);
        Assert.Equal([KeyValuePair.Create(Address(factory), "connected")], states.Describe());
        Assert.False(worker.ExecuteTask!.IsCompleted);
        using var timeout = new CancellationTokenSource(Patience);
        await worker.StopAsync(timeout.Token);
    }

    private static async Task<HealthReportEntry> HealthAsync(IngestApp app)
    {
        using var timeout = new CancellationTokenSource(Patience);
        return (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(timeout.Token)).Entries["ingest"];
    }

    /// <summary>The gauge's values, as the sources were given.</summary>
    private static List<int> Connected(IngestApp app)
    {
        var values = new List<int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (
                instrument.Name == "factorystream.ingest.source.connected"
                && ReferenceEquals(instrument.Meter.Scope, app.Services.GetRequiredService<IMeterFactory>())
            )
                to.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => values.Add(value));
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    private static string Address(WebApplication factory) => $"{factory.Urls.First()}/stream";

    private static async Task<WebApplication> FactoryAsync(RequestDelegate stream, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.MapGet("/stream", stream);
        await app.StartAsync();
        return app;
    }

    /// <summary>A clock whose first timers cannot be made.</summary>
    private sealed class FailingClock : TimeProvider
    {
        private int failures;

        public int Failures
        {
            get => Volatile.Read(ref failures);
            init => failures = value;
        }

        // The waits between two attempts go well, so that the attempts are what fails.
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < TimeSpan.FromSeconds(1) || failures == 0)
                return base.CreateTimer(callback, state, dueTime, period);
            failures--;
            throw new NotSupportedException("no more timers");
        }
    }

    /// <summary>
    /// A host that answers no connection, not even by a refusal: its queue is full and the kernel drops what comes, as a firewall would.
    /// </summary>
    private sealed class IdleHost : IDisposable
    {
        private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> queue = [];

        public int Port { get; private set; }

        public static async Task<IdleHost> ListenAsync()
        {
            var host = new IdleHost();
            host.listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            host.listener.Listen(1);
            host.Port = ((IPEndPoint)host.listener.LocalEndPoint!).Port;
            // The kernel takes a few more than were asked for.
            while (host.queue.Count < 16)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                host.queue.Add(socket);
                var connecting = socket.ConnectAsync(host.listener.LocalEndPoint!);
                if (await Task.WhenAny(connecting, Task.Delay(TimeSpan.FromSeconds(0.5), CancellationToken.None)) != connecting)
                    return host;
            }
            host.Dispose();
            throw new InvalidOperationException("The queue never fills up.");
        }

        public void Dispose()
        {
            listener.Dispose();
            queue.ForEach(socket => socket.Dispose());
        }
    }
}
