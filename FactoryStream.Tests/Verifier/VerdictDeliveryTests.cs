using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Verifier.SourceMessages;

namespace FactoryStream.Tests.Verifier;

public sealed class VerdictDeliveryTests : IDisposable
{
    private readonly VerifierParts parts = new();

    public void Dispose() => parts.Dispose();

    [Fact]
    public void What_comes_while_verdicts_are_in_flight_is_sent_together()
    {
        using var partition = new VerifiedPartition(parts);
        for (var offset = 0; offset < 5; offset++)
            partition.Verify(Message(offset, Line(offset)));
        Assert.Equal(["0:1"], Sources(partition));

        partition.Producer.AcknowledgeAll();
        partition.Deliveries.Drain();
        partition.SendReady();
        Assert.Equal(["0:1", "1:1;2:1;3:1;4:1"], Sources(partition));
    }

    [Fact]
    public void Coalescing_is_bounded_in_lines_and_bytes()
    {
        using (var lines = new VerifiedPartition(parts, options => options.MaxLinesPerMessage = 3))
        {
            lines.Verify(
                Message(0, Line(0), Line(1)),
                Message(1, Line(2)),
                Message(2, Line(3)),
                Message(3, Line(4), Line(5), Line(6), Line(7)),
                Message(4, Line(8))
            );
            lines.Drain();
            Assert.Equal(["0:2;1:1", "2:1", "3:4", "4:1"], Sources(lines));
        }
        using var bytes = new VerifiedPartition(parts, options => options.MaxMessageBytes = 1500);
        bytes.Verify(Message(0, Line(0)), Message(1, Line(1)), Message(2, Line(2)), Message(3, Line(3)), Message(4, Line(4)));
        bytes.Drain();
        Assert.Equal(["0:1;1:1;2:1", "3:1;4:1"], Sources(bytes));
    }

    [Fact]
    public void An_offset_is_done_with_when_all_up_to_it_is_acknowledged()
    {
        using var partition = new VerifiedPartition(parts, options => options.MaxLinesPerMessage = 1);
        partition.Verify(Message(10, Line(0)), Message(11, "bad"), Message(12, Line(2)));
        // In order: verified 10, rejected 11, verified 11, verified 12; one line a message, so none waits for the one before.
        Assert.Equal(
            [TopicNames.Verified, TopicNames.Rejected, TopicNames.Verified],
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
        using var partition = new VerifiedPartition(parts);
        partition.Verify(Message(0, Line(0)));
        partition.Producer.Acknowledge(0, ErrorCode.MsgSizeTooLarge);

        Assert.Throws<KafkaException>(partition.Deliveries.Drain);
        Assert.Equal(-1, partition.Progress.AcknowledgedOffset);
    }

    [Fact]
    public void A_full_queue_is_waited_for()
    {
        using var partition = new VerifiedPartition(parts);
        partition.Producer.FullFor = 3;
        partition.Verify(Message(0, "bad", Line(0)));
        Assert.Equal(2, partition.Producer.Messages.Count);
    }

    [Fact]
    public void A_partition_that_was_lost_gets_no_verdicts_any_more()
    {
        using var partition = new VerifiedPartition(parts);
        partition.Assignment.Lose([new TopicPartitionOffset(TopicNames.Signed, 3, 0)]);
        partition.Verify(Message(0, Line(0), "bad"));
        Assert.Empty(partition.Producer.Messages);
    }

    [Fact]
    public void A_topic_made_anew_stops_the_service()
    {
        using var partition = new VerifiedPartition(parts);
        partition.Topic.Identify("topic-1");
        Assert.Throws<InvalidOperationException>(() => partition.Topic.Identify("topic-2"));
    }

    [Fact]
    public void What_came_while_checking_paused_gets_its_verdicts_first()
    {
        using var partition = new VerifiedPartition(parts);
        partition.KeepLate(Message(0, Line(0)));
        partition.KeepLate(Message(1, Line(1)));
        partition.Verify(Message(2, Line(2)));
        partition.Drain();

        Assert.Equal("0:1;1:1;2:1", Assert.Single(Sources(partition)));
        Assert.Throws<InvalidOperationException>(() => partition.Verify(Message(1, Line(1))));
    }

    [Fact]
    public void The_key_stays_while_all_lines_are_of_one_engine()
    {
        using var partition = new VerifiedPartition(parts);
        partition.Verify(Message(0, Line(0)) with { Key = "f1/e1" }, Message(1, Line(1)) with { Key = "f1/e1" });
        partition.Drain();
        partition.Verify(Message(2, Line(0)) with { Key = "f1/e1" }, Message(3, Line(1)) with { Key = "f1/e2" });
        partition.Drain();
        Assert.Equal(
            ["f1/e1", null],
            partition
                .Producer.To(TopicNames.Verified)
                .Select(message => message.Message.Key is { } bytes ? Encoding.UTF8.GetString(bytes) : null)
        );
    }

    [Fact]
    public void The_trace_goes_on_with_the_verdicts()
    {
        const string first = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            unsampled = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-00";
        using var partition = new VerifiedPartition(parts);
        partition.Verify(Message(0, Encoding.UTF8.GetBytes(Line(0)), "traceparent", unsampled));
        partition.Drain();
        partition.Verify(Message(1, Encoding.UTF8.GetBytes(Line(1)), "traceparent", first));

        // The message's own context where nobody listens for spans, a span of the same trace where a test beside this one does.
        var headers = partition.Producer.To(TopicNames.Verified).Select(message => message[MessageHeaders.TraceParent]).ToArray();
        Assert.Equal([null, first[..35]], headers.Select(header => header?[..35]));
        Assert.EndsWith("-01", headers[1], StringComparison.Ordinal);
    }
}
