using FactoryStream.Ingest.Backpressure;

namespace FactoryStream.Tests.Ingest;

public sealed class BacklogTests
{
    [Fact]
    public void A_message_is_stored_once_the_answers_to_it_are()
    {
        var stored = new StoredPosition();
        stored.Observe(signedCommitted: 0, verifiedEnd: 0, rejectedEnd: 0, verifiedCommitted: 0, rejectedCommitted: 0);
        // Ten messages verified, answered by three messages; none stored.
        stored.Observe(10, 3, 1, 0, 0);
        Assert.Equal(0, stored.Offset);
        // The accepted readings are, the rejected one is not.
        stored.Observe(10, 3, 1, 3, 0);
        Assert.Equal(0, stored.Offset);
        stored.Observe(15, 5, 1, 3, 1);
        Assert.Equal(10, stored.Offset);
        stored.Observe(15, 5, 1, 5, 1);
        Assert.Equal(15, stored.Offset);
    }

    [Fact]
    public void The_backlog_from_before_the_start_is_estimated()
    {
        var stored = new StoredPosition();
        stored.Observe(signedCommitted: 100, verifiedEnd: 80, rejectedEnd: 0, verifiedCommitted: 70, rejectedCommitted: 0);
        Assert.Equal(90, stored.Offset);
        stored.Observe(100, 80, 0, 80, 0);
        Assert.Equal(100, stored.Offset);
    }

    [Fact]
    public void Of_a_log_made_anew_nothing_counts_as_stored()
    {
        var stored = new StoredPosition();
        stored.Observe(100, 80, 0, 80, 0);
        stored.Observe(2, 2, 0, 0, 0);
        Assert.Equal(0, stored.Offset);
        stored.Observe(2, 2, 0, 2, 0);
        Assert.Equal(2, stored.Offset);
    }

    [Fact]
    public void Messages_no_longer_in_the_log_are_not_waited_for()
    {
        // No offsets, for they have expired; the logs begin far from 0 and hold ten messages each.
        var stored = new StoredPosition();
        stored.Observe(0, verifiedEnd: 910, rejectedEnd: 60, verifiedCommitted: 0, rejectedCommitted: 0, new LogBeginnings(1_000, 900, 50));
        Assert.Equal(1_000, stored.Offset);
        // The Verifier has taken the ten again, and answered four more; the Aggregator none.
        stored.Observe(1_010, 914, 60, 0, 0, new LogBeginnings(1_000, 900, 50));
        Assert.Equal(1_000, stored.Offset);
        stored.Observe(1_010, 914, 60, 914, 60, new LogBeginnings(1_000, 900, 50));
        Assert.Equal(1_010, stored.Offset);
    }

    [Fact]
    public void What_retention_took_before_the_Aggregator_had_it_is_not_waited_for()
    {
        var stored = new StoredPosition();
        stored.Observe(10, 10, 2, 0, 0);
        Assert.Equal(0, stored.Offset);
        stored.Observe(10, 10, 2, 0, 0, new LogBeginnings(4, 10, 2));
        Assert.Equal(10, stored.Offset);
    }

    [Fact]
    public void Observed_positions_are_bounded_and_the_last_one_is_still_reached()
    {
        var stored = new StoredPosition();
        for (var offset = 0; offset < 5_000; offset++)
            stored.Observe(offset, offset, 0, 0, 0);
        stored.Observe(5_000, 5_000, 0, 5_000, 0);
        stored.Observe(5_000, 5_000, 0, 5_000, 0);
        Assert.Equal(5_000, stored.Offset);
    }

    [Fact]
    public void Stored_messages_are_forgotten()
    {
        var appended = new AppendedMessages();
        appended.Add(3, 100, 2);
        appended.Add(4, 50, 1);
        appended.Add(7, 10, 1);
        Assert.Equal((150, 3), appended.Forget(5));
        Assert.Equal((1, 10, 1), (appended.Count, appended.Bytes, appended.Readings));
    }

    [Fact]
    public void Messages_of_a_log_made_anew_are_not_waited_for()
    {
        var appended = new AppendedMessages();
        appended.Add(3, 100, 2);
        Assert.Equal((100, 2), appended.Add(0, 50, 1));
        Assert.Equal((1, 50, 1), (appended.Count, appended.Bytes, appended.Readings));
    }
}
