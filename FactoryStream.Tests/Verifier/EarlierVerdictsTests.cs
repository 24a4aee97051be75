using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Verifier.Topics;
using static FactoryStream.Tests.Verifier.Factories;
using static FactoryStream.Tests.Verifier.SourceMessages;

namespace FactoryStream.Tests.Verifier;

public sealed class EarlierVerdictsTests : IDisposable
{
    private readonly VerifierParts parts = new();

    public void Dispose() => parts.Dispose();

    [Fact]
    public void What_was_rejected_before_a_key_was_enrolled_is_rejected_again_by_whoever_takes_over()
    {
        // The last owner rejected two lines of message 41 and died before its verified message; f2 had no key then.
        using var first = new VerifiedPartition(parts);
        var known = Line(1);
        var late = Encoding.UTF8.GetString(Sign(0, "f2", Noon));
        first.Verify(Message(41, known, late, late));
        var written = first.Producer.To(TopicNames.Rejected).ToArray();

        using var next = new VerifiedPartition(parts, keys: [Key("f2", 0)]);
        var earlier = new EarlierVerdicts(41, "topic-1");
        foreach (var message in written)
            Assert.False(earlier.AddRejected(message.Message.Headers));
        next.Progress.Recall(earlier);
        next.Verify(Message(41, known, late, late), Message(42, late));
        next.Drain();

        Assert.Equal(["41:3!1=!2=;42:1"], Sources(next));
        Assert.Empty(next.Producer.To(TopicNames.Rejected));
        Assert.Equal(2, written.Length);
        Assert.Equal((43, null), (next.Progress.AcknowledgedOffset, next.Progress.Earlier));
    }

    [Fact]
    public void What_the_verified_topic_names_already_is_not_written_again_but_a_rejection_that_was_lost_is_written()
    {
        using var first = new VerifiedPartition(parts);
        var late = Encoding.UTF8.GetString(Sign(0, "f2", Noon));
        first.Verify(Message(41, Line(1), late, late));

        // Both topics are written side by side: of the two rejections only the first got through.
        using var next = new VerifiedPartition(parts, keys: [Key("f2", 0)]);
        var earlier = new EarlierVerdicts(41, "topic-1");
        Assert.False(earlier.AddVerified(Assert.Single(first.Producer.To(TopicNames.Verified)).Message.Headers));
        Assert.False(earlier.AddRejected(first.Producer.To(TopicNames.Rejected).First().Message.Headers));
        next.Progress.Recall(earlier);
        next.Verify(Message(41, Line(1), late, late), Message(42, late));
        next.Drain();

        Assert.Equal(["42:1"], Sources(next));
        var again = Assert.Single(next.Producer.To(TopicNames.Rejected));
        Assert.Equal(
            ("41:2", "unknown_key", "f2", "unknown"),
            (again[MessageHeaders.Source], again[MessageHeaders.Reason], again[MessageHeaders.FactoryId], again[MessageHeaders.Ledger])
        );
        Assert.Equal(43, next.Progress.AcknowledgedOffset);
    }

    [Fact]
    public void What_was_accepted_before_a_rejection_is_accepted_again_though_its_key_was_revoked_since()
    {
        using var first = new VerifiedPartition(parts);
        first.Verify(Message(41, Line(1), "garbage"));

        using var next = new VerifiedPartition(parts, keys: [parts.Key with { RevokedAt = Noon.AddDays(-1) }]);
        var earlier = new EarlierVerdicts(41, "topic-1");
        Assert.False(earlier.AddRejected(Assert.Single(first.Producer.To(TopicNames.Rejected)).Message.Headers));
        next.Progress.Recall(earlier);
        next.Verify(Message(41, Line(1), "garbage", Line(1)));

        Assert.Equal(["41:3!1=!2=f1"], Sources(next));
        Assert.Equal("key_revoked", Assert.Single(next.Producer.To(TopicNames.Rejected))[MessageHeaders.Reason]);
    }

    [Fact]
    public void Of_earlier_verdicts_only_those_count_that_are_of_this_topic_and_not_before_what_is_asked()
    {
        using var partition = new VerifiedPartition(parts);
        partition.Verify(Message(41, "no"), Message(42, "no"));
        partition.Drain();
        var rejected = partition.Producer.To(TopicNames.Rejected).Select(message => message.Message.Headers).ToArray();
        var verified = partition.Producer.To(TopicNames.Verified).Select(message => message.Message.Headers).ToArray();

        var earlier = new EarlierVerdicts(42, "topic-1");
        Assert.Equal([true, false], rejected.Select(earlier.AddRejected));
        // One message, that begins before.
        Assert.Equal([true], verified.Select(earlier.AddVerified));
        Assert.Equal((42, new SourcePosition(42, 0)), (earlier.LastVerified, earlier.LastRejected));
        Assert.False(earlier.HasVerdicts(41, out _));

        var other = new EarlierVerdicts(42, "topic-2");
        Assert.DoesNotContain(true, rejected.Select(other.AddRejected));
        Assert.DoesNotContain(true, verified.Select(other.AddVerified));
        Assert.Equal(-1, other.LastOffset);
    }
}
