using System.Diagnostics;
using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class CoalescingTests
{
    [Fact]
    public async Task Lines_gather_while_a_message_is_under_way_and_go_at_its_acknowledgement()
    {
        await using var app = await StartAsync(partitions: 1);
        app.Kafka.AcknowledgesItself = false;
        var first = app.PostAsync(Envelope(value: 1));
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        var others = Enumerable.Range(2, 5).Select(value => app.PostAsync(Envelope(value: value))).ToArray();
        await UntilAsync(() => app.Backlog.Readings == 6);
        Assert.Single(app.Kafka.Lines);

        app.Kafka.Acknowledge();
        await first;
        Assert.All(others, other => Assert.False(other.IsCompleted));
        Assert.Equal([1, 5], app.Kafka.To(TopicNames.Signed).Select(message => message.Lines.Count));
        app.Kafka.Acknowledge();
        foreach (var other in others)
            Assert.Equal(1, (await other).Accepted);
    }

    [Fact]
    public async Task One_line_a_message_when_configured_so()
    {
        await using var app = await StartAsync(1, ("MaxLinesPerMessage", 1));
        await app.PostAsync(Enumerable.Range(0, 10).Select(value => Envelope(value: value)));
        Assert.Equal(
            Enumerable.Range(0, 10).Select(value => Envelope(value: value)),
            app.Kafka.To(TopicNames.Signed).Select(message => message.Value)
        );
    }

    [Fact]
    public async Task A_message_never_exceeds_its_bounds()
    {
        await using var app = await StartAsync(1, ("MaxLinesPerMessage", 7), ("MaxMessageBytes", 2_048), ("MaxLineBytes", 1_024));
        var random = new Random(1);
        var lines = Enumerable
            .Range(0, 500)
            .Select(value => Envelope(value: value).Replace("}, ", $"}},{new string(' ', random.Next(800))}", StringComparison.Ordinal))
            .ToArray();
        await app.PostAsync(lines);

        Assert.All(
            app.Kafka.To(TopicNames.Signed),
            message => Assert.True(message.Lines.Count <= 7 && message.Message.Value.Length <= 2_048)
        );
        Assert.Equal(lines, app.Kafka.Lines);
    }

    [Fact]
    public async Task A_pretty_printed_envelope_keeps_its_place_in_the_order()
    {
        await using var app = await StartAsync(partitions: 1);
        app.Kafka.AcknowledgesItself = false;
        var pretty = Envelope(value: 3).Replace(", ", ",\n", StringComparison.Ordinal);
        List<Task<Answer>> answers = [];
        foreach (var body in (string[])[Envelope(value: 1), Envelope(value: 2), pretty, Envelope(value: 4)])
        {
            var before = app.Backlog.Readings;
            answers.Add(app.PostAsync("application/json", Encoding.UTF8.GetBytes(body)));
            await UntilAsync(() => app.Backlog.Readings > before);
        }
        for (var acknowledged = 0; acknowledged < 4; acknowledged++)
        {
            await UntilAsync(() => app.Kafka.To(TopicNames.Signed).Count > acknowledged);
            app.Kafka.Acknowledge();
        }

        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(1, answer.Accepted));
        Assert.Equal(
            [Envelope(value: 1), Envelope(value: 2), pretty, Envelope(value: 4)],
            app.Kafka.To(TopicNames.Signed).Select(message => message.Value)
        );
    }

    [Fact]
    public async Task Many_clients_at_once_lose_nothing_and_keep_each_engines_order()
    {
        await using var app = await StartAsync(partitions: 3);
        await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(engine =>
                    Task.Run(async () =>
                    {
                        for (var value = 0; value < 50; value++)
                            Assert.Equal(
                                2,
                                (
                                    await app.PostAsync(Envelope("f1", $"e{engine}", value), Envelope("f1", $"e{engine}", 1_000 + value))
                                ).Accepted
                            );
                    })
                )
        );

        Assert.Equal(16 * 100, app.Kafka.Lines.Distinct().Count());
        for (var engine = 0; engine < 16; engine++)
        {
            Assert.Equal(
                Enumerable
                    .Range(0, 50)
                    .SelectMany(value => (string[])[Envelope("f1", $"e{engine}", value), Envelope("f1", $"e{engine}", 1_000 + value)]),
                app.Kafka.Lines.Where(line => line.Contains($"\"e{engine}\"", StringComparison.Ordinal))
            );
        }
        Assert.Equal(0, app.Backlog.PendingBytes);
    }

    [Fact]
    public async Task A_message_of_unsampled_requests_has_no_headers()
    {
        await using var app = await StartAsync(partitions: 1);
        var delivery = new Delivery();
        delivery.Begin(default);
        var partition = app.Services.GetRequiredService<SignedTopicWriter>().Partitions![0];
        partition.TryAppend("{}"u8, "f1", "e1", 1, delivery);
        partition.Flush();
        await delivery.WhenCompletedAsync();
        Assert.Null(Assert.Single(app.Kafka.To(TopicNames.Signed)).Message.Headers);
    }

    [Fact]
    public async Task A_messages_span_is_the_child_of_its_first_sampled_request_and_linked_to_the_others()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "FactoryStream.Ingest",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                    spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        ActivityContext[] requests =
        [
            .. Enumerable
                .Range(0, 2)
                .Select(_ => new ActivityContext(
                    ActivityTraceId.CreateRandom(),
                    ActivitySpanId.CreateRandom(),
                    ActivityTraceFlags.Recorded
                )),
        ];

        await using var app = await StartAsync(partitions: 1);
        var partition = app.Services.GetRequiredService<SignedTopicWriter>().Partitions![0];
        foreach (var trace in (ActivityContext[])[default, .. requests])
        {
            var delivery = new Delivery();
            delivery.Begin(trace);
            partition.TryAppend("{}"u8, "f1", "e1", 1, delivery);
        }
        partition.Flush();
        // The span ends behind the last of its bytes' accounts.
        await UntilAsync(() =>
        {
            lock (spans)
                return spans.Exists(span => span.TraceId == requests[0].TraceId);
        });

        var message = Assert.Single(app.Kafka.To(TopicNames.Signed));
        var span = Assert.Single(spans, span => span.TraceId == requests[0].TraceId);
        Assert.Equal(
            ($"send {TopicNames.Signed}", ActivityKind.Producer, requests[0].SpanId),
            (span.DisplayName, span.Kind, span.ParentSpanId)
        );
        Assert.Equal([requests[1].SpanId], span.Links.Select(link => link.Context.SpanId));
        Assert.Equal($"00-{span.TraceId}-{span.SpanId}-01", message[MessageHeaders.TraceParent]);
        Assert.Equal(
            ("kafka", "send", TopicNames.Signed, "0", 3),
            (
                span.GetTagItem("messaging.system"),
                span.GetTagItem("messaging.operation.type"),
                span.GetTagItem("messaging.destination.name"),
                span.GetTagItem("messaging.destination.partition.id"),
                span.GetTagItem("messaging.batch.message_count")
            )
        );
    }
}
