using System.Diagnostics.Metrics;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.Signatures;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Answering;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Verification;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

public sealed class VerdictWriterTests : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly SignatureVerifier signatures = new();
    private readonly SigningKey key = Key("f1", 0);
    private readonly VerifierMetrics metrics;
    private readonly LineVerifier verifier;

    public VerdictWriterTests()
    {
        metrics = new VerifierMetrics(services.GetRequiredService<IMeterFactory>(), signatures);
        verifier = new LineVerifier(signatures, TimeSpan.FromSeconds(60));
    }

    public void Dispose()
    {
        metrics.Dispose();
        signatures.Dispose();
        services.Dispose();
    }

    [Fact]
    public void An_answer_has_the_accepted_lines_and_tells_of_the_others()
    {
        using var partition = new Partition(this);
        string good = Line(1),
            bad = good.Replace("3000", "3001", StringComparison.Ordinal),
            other = Line(2);

        partition.Answer(Message(41, good, bad, "garbage", other));

        var verified = Assert.Single(partition.Producer.To(Topics.Verified));
        Assert.Equal(Expected(good) + "\n" + Expected(other), verified.Value);
        Assert.Equal(
            ("41:4!1=f1!2=", "topic-1", "2026-03-01T12:00:00.000000Z", null, null, 3),
            (
                verified[MessageHeaders.Source],
                verified[MessageHeaders.SourceTopicId],
                verified[MessageHeaders.VerdictTime],
                verified[MessageHeaders.Framing],
                verified[MessageHeaders.TraceParent],
                verified.Partition
            )
        );
        Assert.Equal(
            [
                (
                    bad,
                    "bad_signature",
                    "the signature is not of any of f1's signing keys",
                    "verifier",
                    "2026-03-01T12:00:00.000000Z",
                    "f1",
                    "41:1",
                    "topic-1",
                    3
                ),
                (
                    "garbage",
                    "malformed",
                    "envelope: expected JSON, found 'garbage' at byte 0",
                    "verifier",
                    "2026-03-01T12:00:00.000000Z",
                    null,
                    "41:2",
                    "topic-1",
                    3
                ),
            ],
            partition
                .Producer.To(Topics.Rejected)
                .Select(message =>
                    (
                        message.Value,
                        message[MessageHeaders.Reason],
                        message[MessageHeaders.Detail],
                        message[MessageHeaders.RejectedBy],
                        message[MessageHeaders.RejectedAt],
                        message[MessageHeaders.FactoryId],
                        message[MessageHeaders.Source],
                        message[MessageHeaders.SourceTopicId],
                        message.Partition
                    )
                )
        );
    }

    [Fact]
    public void What_a_factory_without_any_key_sends_stands_in_nobodys_ledger_in_both_messages()
    {
        using var partition = new Partition(this);
        const string odd = """{"data": {"factory_id": "f3"}, "signature": "AAAA"}""";
        var bad = Line(1).Replace("3000", "3001", StringComparison.Ordinal);

        partition.Answer(Message(41, Line(1), Encoding.UTF8.GetString(Sign(0, "f2", Noon)), odd, bad));

        Assert.Equal("41:4!1=!2=!3=f1", Assert.Single(Sources(partition)));
        Assert.Equal(
            [("unknown_key", "f2", "unknown"), ("malformed", "f3", "unknown"), ("bad_signature", "f1", null)],
            partition
                .Producer.To(Topics.Rejected)
                .Select(message => (message[MessageHeaders.Reason], message[MessageHeaders.FactoryId], message[MessageHeaders.Ledger]))
        );
    }

    [Fact]
    public void What_was_rejected_before_a_key_was_enrolled_is_rejected_again_by_whoever_takes_over()
    {
        // The last owner rejected two lines of message 41 and died before its verified message; f2 had no key then.
        using var first = new Partition(this);
        var known = Line(1);
        var late = Encoding.UTF8.GetString(Sign(0, "f2", Noon));
        first.Answer(Message(41, known, late, late));
        var written = first.Producer.To(Topics.Rejected).ToArray();

        using var next = new Partition(this, keys: [Key("f2", 0)]);
        var earlier = new EarlierAnswers(41, "topic-1");
        foreach (var message in written)
            Assert.False(earlier.AddRejected(message.Message.Headers));
        next.Progress.Recall(earlier);
        next.Answer(Message(41, known, late, late), Message(42, late));
        next.Drain();

        Assert.Equal(["41:3!1=!2=;42:1"], Sources(next));
        Assert.Empty(next.Producer.To(Topics.Rejected));
        Assert.Equal(2, written.Length);
        Assert.Equal((43, null), (next.Progress.AcknowledgedOffset, next.Progress.Earlier));
    }

    [Fact]
    public void What_the_verified_topic_tells_of_already_is_not_answered_again_but_a_rejection_that_was_lost_is_written()
    {
        using var first = new Partition(this);
        var late = Encoding.UTF8.GetString(Sign(0, "f2", Noon));
        first.Answer(Message(41, Line(1), late, late));

        // Both topics are written side by side: of the two rejections only the first got through.
        using var next = new Partition(this, keys: [Key("f2", 0)]);
        var earlier = new EarlierAnswers(41, "topic-1");
        Assert.False(earlier.AddVerified(Assert.Single(first.Producer.To(Topics.Verified)).Message.Headers));
        Assert.False(earlier.AddRejected(first.Producer.To(Topics.Rejected).First().Message.Headers));
        next.Progress.Recall(earlier);
        next.Answer(Message(41, Line(1), late, late), Message(42, late));
        next.Drain();

        Assert.Equal(["42:1"], Sources(next));
        var again = Assert.Single(next.Producer.To(Topics.Rejected));
        Assert.Equal(
            ("41:2", "unknown_key", "f2", "unknown"),
            (again[MessageHeaders.Source], again[MessageHeaders.Reason], again[MessageHeaders.FactoryId], again[MessageHeaders.Ledger])
        );
        Assert.Equal(43, next.Progress.AcknowledgedOffset);
    }

    [Fact]
    public void What_was_accepted_before_a_rejection_is_accepted_again_though_its_key_was_revoked_since()
    {
        using var first = new Partition(this);
        first.Answer(Message(41, Line(1), "garbage"));

        using var next = new Partition(this, keys: [key with { RevokedAt = Noon.AddDays(-1) }]);
        var earlier = new EarlierAnswers(41, "topic-1");
        Assert.False(earlier.AddRejected(Assert.Single(first.Producer.To(Topics.Rejected)).Message.Headers));
        next.Progress.Recall(earlier);
        next.Answer(Message(41, Line(1), "garbage", Line(1)));

        Assert.Equal(["41:3!1=!2=f1"], Sources(next));
        Assert.Equal("key_revoked", Assert.Single(next.Producer.To(Topics.Rejected))[MessageHeaders.Reason]);
    }

    [Fact]
    public void Of_earlier_answers_only_those_count_that_are_of_this_topic_and_not_before_what_is_asked()
    {
        using var partition = new Partition(this);
        partition.Answer(Message(41, "no"), Message(42, "no"));
        partition.Drain();
        var rejected = partition.Producer.To(Topics.Rejected).Select(message => message.Message.Headers).ToArray();
        var verified = partition.Producer.To(Topics.Verified).Select(message => message.Message.Headers).ToArray();

        var earlier = new EarlierAnswers(42, "topic-1");
        Assert.Equal([true, false], rejected.Select(earlier.AddRejected));
        // One message, that begins before.
        Assert.Equal([true], verified.Select(earlier.AddVerified));
        Assert.Equal((42, new SourcePosition(42, 0)), (earlier.LastAnswered, earlier.LastRejected));
        Assert.False(earlier.IsAnswered(41, out _));

        var other = new EarlierAnswers(42, "topic-2");
        Assert.DoesNotContain(true, rejected.Select(other.AddRejected));
        Assert.DoesNotContain(true, verified.Select(other.AddVerified));
        Assert.Equal(-1, other.LastOffset);
    }

    [Fact]
    public void A_message_of_which_nothing_was_accepted_is_answered_too()
    {
        using var partition = new Partition(this);

        partition.Answer(Message(5, "no", "nor this"), Message(6), Message(7, [], "framing", "single"));

        var verified = Assert.Single(partition.Producer.To(Topics.Verified));
        Assert.Equal(
            ("5:2!0=!1=;6:0;7:1!0=", "", null),
            (verified[MessageHeaders.Source], verified.Value, verified[MessageHeaders.Framing])
        );
        Assert.Equal(["no", "nor this", ""], partition.Producer.To(Topics.Rejected).Select(message => message.Value));
    }

    [Fact]
    public void An_envelope_with_line_breaks_is_answered_alone()
    {
        using var partition = new Partition(this);
        var pretty = Line(1).Replace(",\"signature\"", ",\n \"signature\"", StringComparison.Ordinal);

        partition.Answer(Message(1, Line(2)), Message(2, Encoding.UTF8.GetBytes(pretty), "framing", "single"), Message(3, Line(3)));
        partition.Producer.AcknowledgeAll();
        partition.Deliveries.Drain();
        partition.SendReady();

        Assert.Equal(
            [("1:1", null, Expected(Line(2))), ("2:1", "single", Expected(Line(1))), ("3:1", null, Expected(Line(3)))],
            partition
                .Producer.To(Topics.Verified)
                .Select(message => (message[MessageHeaders.Source], message[MessageHeaders.Framing], message.Value))
        );
    }

    [Fact]
    public void A_signed_batch_is_a_line_and_counts_its_readings_where_it_is_rejected()
    {
        using var partition = new Partition(this);
        var good = Batch(0);
        var bad = Batch(1);

        partition.Answer(Message(8, Line(1), good, bad, Line(2)));

        var verified = Assert.Single(partition.Producer.To(Topics.Verified));
        Assert.Equal(("8:4!2*3=f1", null), (verified[MessageHeaders.Source], verified[MessageHeaders.BatchShare]));
        Assert.Equal(string.Join('\n', Expected(Line(1)), Expected(good), Expected(Line(2))), verified.Value);
        var rejected = Assert.Single(partition.Producer.To(Topics.Rejected));
        Assert.Equal(
            (bad, "bad_signature", "3", "8:2"),
            (rejected.Value, rejected[MessageHeaders.Reason], rejected[MessageHeaders.Readings], rejected[MessageHeaders.Source])
        );
    }

    [Fact]
    public void A_share_of_a_signed_batch_is_answered_alone_with_its_header_as_it_came()
    {
        using var partition = new Partition(this);

        partition.Answer(Message(1, Line(2)), Share(2, Batch(0)), Share(3, Batch(1)), Message(4, Line(3)));
        partition.Drain();

        Assert.Equal(
            [
                ("1:1", null, null, Expected(Line(2))),
                ("2:1", "single", "0,2", Expected(Batch(0))),
                ("3:1!0*2=f1;4:1", null, null, Expected(Line(3))),
            ],
            partition
                .Producer.To(Topics.Verified)
                .Select(message =>
                    (message[MessageHeaders.Source], message[MessageHeaders.Framing], message[MessageHeaders.BatchShare], message.Value)
                )
        );
        Assert.Equal("2", Assert.Single(partition.Producer.To(Topics.Rejected))[MessageHeaders.Readings]);

        static Source Share(long offset, string line) => Message(offset, Encoding.UTF8.GetBytes(line), "batch-share", "0,2");
    }

    [Fact]
    public void What_comes_while_an_answer_is_in_flight_is_answered_together()
    {
        using var partition = new Partition(this);
        for (var offset = 0; offset < 5; offset++)
            partition.Answer(Message(offset, Line(offset)));
        Assert.Equal(["0:1"], Sources(partition));

        partition.Producer.AcknowledgeAll();
        partition.Deliveries.Drain();
        partition.SendReady();
        Assert.Equal(["0:1", "1:1;2:1;3:1;4:1"], Sources(partition));
    }

    [Fact]
    public void Coalescing_is_bounded_in_lines_and_bytes()
    {
        using (var lines = new Partition(this, options => options.MaxLinesPerMessage = 3))
        {
            lines.Answer(
                Message(0, Line(0), Line(1)),
                Message(1, Line(2)),
                Message(2, Line(3)),
                Message(3, Line(4), Line(5), Line(6), Line(7)),
                Message(4, Line(8))
            );
            lines.Drain();
            Assert.Equal(["0:2;1:1", "2:1", "3:4", "4:1"], Sources(lines));
        }
        using var bytes = new Partition(this, options => options.MaxMessageBytes = 1500);
        bytes.Answer(Message(0, Line(0)), Message(1, Line(1)), Message(2, Line(2)), Message(3, Line(3)), Message(4, Line(4)));
        bytes.Drain();
        Assert.Equal(["0:1;1:1;2:1", "3:1;4:1"], Sources(bytes));
    }

    [Fact]
    public void An_offset_is_done_with_when_all_up_to_it_is_acknowledged()
    {
        using var partition = new Partition(this, options => options.MaxLinesPerMessage = 1);
        partition.Answer(Message(10, Line(0)), Message(11, "bad"), Message(12, Line(2)));
        // In order: verified 10, rejected 11, verified 11, verified 12; one line a message, so none waits for the one before.
        Assert.Equal(
            [Topics.Verified, Topics.Rejected, Topics.Verified],
            partition.Producer.Messages.Take(3).Select(message => message.Topic)
        );

        partition.Producer.Acknowledge(2);
        partition.Deliveries.Drain();
        Assert.Equal(-1, partition.Progress.AcknowledgedOffset);
        partition.Producer.Acknowledge(0);
        partition.Deliveries.Drain();
        Assert.Equal(11, partition.Progress.AcknowledgedOffset);
        partition.Producer.Acknowledge(1);
        partition.Deliveries.Drain();
        Assert.Equal(12, partition.Progress.AcknowledgedOffset);
        partition.Drain();
        Assert.Equal(
            (13, 0, 0L),
            (partition.Progress.AcknowledgedOffset, partition.Progress.Outstanding, partition.Deliveries.InFlightBytes)
        );
    }

    [Fact]
    public void What_Kafka_refuses_for_good_stops_the_service()
    {
        using var partition = new Partition(this);
        partition.Answer(Message(0, Line(0)));
        partition.Producer.Acknowledge(0, ErrorCode.MsgSizeTooLarge);

        Assert.Throws<KafkaException>(partition.Deliveries.Drain);
        Assert.Equal(-1, partition.Progress.AcknowledgedOffset);
    }

    [Fact]
    public void A_full_queue_is_waited_for()
    {
        using var partition = new Partition(this);
        partition.Producer.FullFor = 3;
        partition.Answer(Message(0, "bad", Line(0)));
        Assert.Equal(2, partition.Producer.Messages.Count);
    }

    [Fact]
    public void A_partition_that_was_lost_is_not_answered_any_more()
    {
        using var partition = new Partition(this);
        partition.Assignment.Lose([new TopicPartitionOffset(Topics.Signed, 3, 0)]);
        partition.Answer(Message(0, Line(0), "bad"));
        Assert.Empty(partition.Producer.Messages);
    }

    [Fact]
    public void A_topic_made_anew_stops_the_service()
    {
        using var partition = new Partition(this);
        partition.Topic.Identify("topic-1");
        Assert.Throws<InvalidOperationException>(() => partition.Topic.Identify("topic-2"));
    }

    [Fact]
    public void What_came_while_checking_paused_is_answered_first()
    {
        using var partition = new Partition(this);
        partition.KeepLate(Message(0, Line(0)));
        partition.KeepLate(Message(1, Line(1)));
        partition.Answer(Message(2, Line(2)));
        partition.Drain();

        Assert.Equal("0:1;1:1;2:1", Assert.Single(Sources(partition)));
        Assert.Throws<InvalidOperationException>(() => partition.Answer(Message(1, Line(1))));
    }

    [Fact]
    public void The_key_stays_while_all_lines_are_of_one_engine()
    {
        using var partition = new Partition(this);
        partition.Answer(Message(0, Line(0)) with { Key = "f1/e1" }, Message(1, Line(1)) with { Key = "f1/e1" });
        partition.Drain();
        partition.Answer(Message(2, Line(0)) with { Key = "f1/e1" }, Message(3, Line(1)) with { Key = "f1/e2" });
        partition.Drain();
        Assert.Equal(
            ["f1/e1", null],
            partition
                .Producer.To(Topics.Verified)
                .Select(message => message.Message.Key is { } bytes ? Encoding.UTF8.GetString(bytes) : null)
        );
    }

    [Fact]
    public void The_trace_goes_on_with_the_answer()
    {
        const string first = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            unsampled = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-00";
        using var partition = new Partition(this);
        partition.Answer(Message(0, Encoding.UTF8.GetBytes(Line(0)), "traceparent", unsampled));
        partition.Drain();
        partition.Answer(Message(1, Encoding.UTF8.GetBytes(Line(1)), "traceparent", first));

        // The message's own context where nobody listens for spans, a span of the same trace where a test beside this one does.
        var answers = partition.Producer.To(Topics.Verified).Select(message => message[MessageHeaders.TraceParent]).ToArray();
        Assert.Equal([null, first[..35]], answers.Select(header => header?[..35]));
        Assert.EndsWith("-01", answers[1], StringComparison.Ordinal);
    }

    [Property(MaxTest = 100)]
    public Property Every_line_has_exactly_one_outcome_and_every_message_one_answer()
    {
        string[] kinds =
        [
            Line(1),
            Line(2),
            Line(3).Replace("3000", "3001", StringComparison.Ordinal),
            "garbage",
            "",
            Encoding.UTF8.GetString(Sign(1, "f2", Noon)),
            Encoding.UTF8.GetString(Sign(0, "f1", Noon.AddYears(1))),
        ];
        var message = Gen.Choose(0, kinds.Length - 1).Select(kind => kinds[kind]).ListOf();
        return Prop.ForAll(
            message.ListOf().ToArbitrary(),
            Arb.From(Gen.Choose(1, 6)),
            (messages, maxLines) =>
            {
                using var partition = new Partition(this, options => options.MaxLinesPerMessage = maxLines);
                var sources = messages.Select((lines, offset) => Message(offset, [.. lines])).ToArray();
                foreach (var some in sources.Chunk(2))
                    partition.Answer(some);
                partition.Drain();

                var outcomes = new List<string>();
                var answered = new List<long>();
                var rejected = partition
                    .Producer.To(Topics.Rejected)
                    .ToDictionary(sent => sent[MessageHeaders.Source]!, sent => sent.Value);
                foreach (var verified in partition.Producer.To(Topics.Verified))
                {
                    Assert.True(SourcePositions.TryParse(verified[MessageHeaders.Source]!, out var answers));
                    var lines = new Queue<ReadOnlyMemory<byte>>(MessageLines.Split(verified.Message.Value, single: false));
                    foreach (var source in answers)
                    {
                        answered.Add(source.Offset);
                        for (var line = 0; line < source.LineCount; line++)
                            outcomes.Add(
                                source.Rejected.Any(other => other.Line == line)
                                    ? rejected[new SourcePosition(source.Offset, line).ToString()]
                                    : Encoding.UTF8.GetString(lines.Dequeue().Span)
                            );
                    }
                    Assert.Empty(lines);
                }
                // An empty last line is none: a message may end with its line break.
                var expected = sources
                    .SelectMany(source => MessageLines.Split(source.Value, single: false))
                    .Select(line => Encoding.UTF8.GetString(line.Span))
                    .Select(line => line == kinds[0] || line == kinds[1] ? Expected(line) : line);
                Assert.Equal(expected, outcomes);
                Assert.Equal(sources.Select(source => source.Offset), answered);
                Assert.Equal(sources.Length == 0 ? -1 : sources.Length, partition.Progress.AcknowledgedOffset);
            }
        );
    }

    private static string Batch(int pair) =>
        Batches.GetOrAdd(
            pair,
            static pair => Encoding.UTF8.GetString(SignBatch(pair, "f1", [("e1", Noon), ("e2", Noon), ("e1", Noon.AddSeconds(-1))]))
        );

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, string> Batches = new();

    private static string[] Sources(Partition partition) =>
        [.. partition.Producer.To(Topics.Verified).Select(message => message[MessageHeaders.Source]!)];

    private static string Line(int second) =>
        Lines.GetOrAdd(second, static second => Encoding.UTF8.GetString(Sign(0, "f1", Noon.AddSeconds(-second))));

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, string> Lines = new();

    /// <summary>What becomes of an accepted line: compact around the same data and signature, with the key's id.</summary>
    private string Expected(string line) => line[..^1] + $",\"key_id\":\"{key.KeyId}\"}}";

    private static Source Message(long offset, params string[] lines) => new(offset, Encoding.UTF8.GetBytes(string.Join('\n', lines)), []);

    private static Source Message(long offset, byte[] value, string header, string text) =>
        new(offset, value, new Headers { { header, Encoding.UTF8.GetBytes(text) } });

    private sealed record Source(long Offset, byte[] Value, Headers Headers, string? Key = null);

    /// <summary>Partition 3, and what answers it.</summary>
    private sealed class Partition : IDisposable
    {
        private readonly VerdictWriterTests test;
        private readonly PolledMessages polled = new(new BatchBytes());
        private readonly KeySnapshot keys;
        private readonly VerdictWriter writer;

        public Partition(VerdictWriterTests test, Action<VerifierOptions>? configure = null, SigningKey[]? keys = null)
        {
            this.test = test;
            var others = keys ?? [];
            this.keys = new KeySnapshot(others.Any(key => key.FactoryId == test.key.FactoryId) ? others : [.. others, test.key]);
            var options = new VerifierOptions();
            configure?.Invoke(options);
            var time = new FakeTimeProvider(new DateTimeOffset(Noon));
            Deliveries = new Deliveries(Producer, time, test.metrics);
            writer = new VerdictWriter(Deliveries, Topic, Options.Create(options), time, test.metrics, NullLogger<VerdictWriter>.Instance);
            Assignment = new PartitionAssignment(
                writer,
                Deliveries,
                Topic,
                Options.Create(options),
                time,
                NullLogger<PartitionAssignment>.Instance
            );
            Assignment.Assign([new TopicPartition(Topics.Signed, 3)]);
            Topic.Identify("topic-1");
            Progress = Assignment.Find(3)!;
        }

        public RecordingProducer Producer { get; } = new();

        public SourceTopic Topic { get; } = new();

        public Deliveries Deliveries { get; }

        public PartitionAssignment Assignment { get; }

        public PartitionProgress Progress { get; }

        /// <summary>Verifies the messages as one poll brings them and answers them.</summary>
        public void Answer(params Source[] sources)
        {
            polled.TakeLate();
            foreach (var source in sources)
                polled.Add(Progress, Consumed(source));
            test.verifier.Verify(polled.Lines, keys);
            writer.Write(polled, new PolledSpans());
            SendReady();
            polled.Reset();
        }

        public void SendReady() => writer.SendReady(Assignment.Owned);

        public void KeepLate(Source source) => polled.AddLate(Progress, Consumed(source));

        private static ConsumeResult<byte[]?, ReadOnlyMemory<byte>> Consumed(Source source) =>
            new()
            {
                Topic = Topics.Signed,
                Partition = 3,
                Offset = source.Offset,
                Message = new()
                {
                    Key = source.Key is null ? null : Encoding.UTF8.GetBytes(source.Key),
                    Value = source.Value,
                    Headers = source.Headers,
                    Timestamp = new Timestamp(Noon),
                },
            };

        /// <summary>Acknowledges until nothing is left.</summary>
        public void Drain()
        {
            for (var round = 0; round < 100; round++)
            {
                Producer.AcknowledgeAll();
                Deliveries.Drain();
                SendReady();
            }
            Assert.Equal(0, Progress.Outstanding);
        }

        public void Dispose()
        {
            Deliveries.Dispose();
            Producer.Dispose();
        }
    }
}
