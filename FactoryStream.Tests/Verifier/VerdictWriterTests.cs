using System.Text;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static FactoryStream.Tests.Verifier.Factories;
using static FactoryStream.Tests.Verifier.SourceMessages;

namespace FactoryStream.Tests.Verifier;

public sealed class VerdictWriterTests : IDisposable
{
    private readonly VerifierParts parts = new();

    public void Dispose() => parts.Dispose();

    [Fact]
    public void A_verified_message_has_the_accepted_lines_and_names_the_others()
    {
        using var partition = new VerifiedPartition(parts);
        string good = Line(1),
            bad = good.Replace("3000", "3001", StringComparison.Ordinal),
            other = Line(2);

        partition.Verify(Message(41, good, bad, "garbage", other));

        var verified = Assert.Single(partition.Producer.To(TopicNames.Verified));
        Assert.Equal(parts.Expected(good) + "\n" + parts.Expected(other), verified.Value);
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
                .Producer.To(TopicNames.Rejected)
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
        using var partition = new VerifiedPartition(parts);
        const string odd = """{"data": {"factory_id": "f3"}, "signature": "AAAA"}""";
        var bad = Line(1).Replace("3000", "3001", StringComparison.Ordinal);

        partition.Verify(Message(41, Line(1), Encoding.UTF8.GetString(Sign(0, "f2", Noon)), odd, bad));

        Assert.Equal("41:4!1=!2=!3=f1", Assert.Single(Sources(partition)));
        Assert.Equal(
            [("unknown_key", "f2", "unknown"), ("malformed", "f3", "unknown"), ("bad_signature", "f1", null)],
            partition
                .Producer.To(TopicNames.Rejected)
                .Select(message => (message[MessageHeaders.Reason], message[MessageHeaders.FactoryId], message[MessageHeaders.Ledger]))
        );
    }

    [Fact]
    public void A_message_of_which_nothing_was_accepted_has_its_verified_message_too()
    {
        using var partition = new VerifiedPartition(parts);

        partition.Verify(Message(5, "no", "nor this"), Message(6), Message(7, [], "framing", "single"));

        var verified = Assert.Single(partition.Producer.To(TopicNames.Verified));
        Assert.Equal(
            ("5:2!0=!1=;6:0;7:1!0=", "", null),
            (verified[MessageHeaders.Source], verified.Value, verified[MessageHeaders.Framing])
        );
        Assert.Equal(["no", "nor this", ""], partition.Producer.To(TopicNames.Rejected).Select(message => message.Value));
    }

    [Fact]
    public void An_envelope_with_line_breaks_is_written_alone()
    {
        using var partition = new VerifiedPartition(parts);
        var pretty = Line(1).Replace(",\"signature\"", ",\n \"signature\"", StringComparison.Ordinal);

        partition.Verify(Message(1, Line(2)), Message(2, Encoding.UTF8.GetBytes(pretty), "framing", "single"), Message(3, Line(3)));
        partition.Producer.AcknowledgeAll();
        partition.Deliveries.Drain();
        partition.SendReady();

        Assert.Equal(
            [("1:1", null, parts.Expected(Line(2))), ("2:1", "single", parts.Expected(Line(1))), ("3:1", null, parts.Expected(Line(3)))],
            partition
                .Producer.To(TopicNames.Verified)
                .Select(message => (message[MessageHeaders.Source], message[MessageHeaders.Framing], message.Value))
        );
    }

    [Fact]
    public void A_signed_batch_is_a_line_and_counts_its_readings_where_it_is_rejected()
    {
        using var partition = new VerifiedPartition(parts);
        var good = Batch(0);
        var bad = Batch(1);

        partition.Verify(Message(8, Line(1), good, bad, Line(2)));

        var verified = Assert.Single(partition.Producer.To(TopicNames.Verified));
        Assert.Equal(("8:4!2*3=f1", null), (verified[MessageHeaders.Source], verified[MessageHeaders.BatchShare]));
        Assert.Equal(string.Join('\n', parts.Expected(Line(1)), parts.Expected(good), parts.Expected(Line(2))), verified.Value);
        var rejected = Assert.Single(partition.Producer.To(TopicNames.Rejected));
        Assert.Equal(
            (bad, "bad_signature", "3", "8:2"),
            (rejected.Value, rejected[MessageHeaders.Reason], rejected[MessageHeaders.Readings], rejected[MessageHeaders.Source])
        );
    }

    [Fact]
    public void A_share_of_a_signed_batch_is_written_alone_with_its_header_as_it_came()
    {
        using var partition = new VerifiedPartition(parts);

        partition.Verify(Message(1, Line(2)), Share(2, Batch(0)), Share(3, Batch(1)), Message(4, Line(3)));
        partition.Drain();

        Assert.Equal(
            [
                ("1:1", null, null, parts.Expected(Line(2))),
                ("2:1", "single", "0,2", parts.Expected(Batch(0))),
                ("3:1!0*2=f1;4:1", null, null, parts.Expected(Line(3))),
            ],
            partition
                .Producer.To(TopicNames.Verified)
                .Select(message =>
                    (message[MessageHeaders.Source], message[MessageHeaders.Framing], message[MessageHeaders.BatchShare], message.Value)
                )
        );
        Assert.Equal("2", Assert.Single(partition.Producer.To(TopicNames.Rejected))[MessageHeaders.Readings]);

        static SourceValue Share(long offset, string line) => Message(offset, Encoding.UTF8.GetBytes(line), "batch-share", "0,2");
    }

    [Property(MaxTest = 100)]
    public Property Every_line_has_exactly_one_outcome_and_every_message_its_verdicts_once()
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
                using var partition = new VerifiedPartition(parts, options => options.MaxLinesPerMessage = maxLines);
                var sources = messages.Select((lines, offset) => Message(offset, [.. lines])).ToArray();
                foreach (var some in sources.Chunk(2))
                    partition.Verify(some);
                partition.Drain();

                var outcomes = new List<string>();
                var offsets = new List<long>();
                var rejected = partition
                    .Producer.To(TopicNames.Rejected)
                    .ToDictionary(sent => sent[MessageHeaders.Source]!, sent => sent.Value);
                foreach (var verified in partition.Producer.To(TopicNames.Verified))
                {
                    Assert.True(SourcePositions.TryParse(verified[MessageHeaders.Source]!, out var positions));
                    var lines = new Queue<ReadOnlyMemory<byte>>(MessageLines.Split(verified.Message.Value, single: false));
                    foreach (var source in positions)
                    {
                        offsets.Add(source.Offset);
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
                    .Select(line => line == kinds[0] || line == kinds[1] ? parts.Expected(line) : line);
                Assert.Equal(expected, outcomes);
                Assert.Equal(sources.Select(source => source.Offset), offsets);
                Assert.Equal(sources.Length == 0 ? -1 : sources.Length, partition.Progress.AcknowledgedOffset);
            }
        );
    }
}
