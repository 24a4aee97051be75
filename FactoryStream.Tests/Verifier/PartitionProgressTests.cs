using FactoryStream.Verifier.Topics;

namespace FactoryStream.Tests.Verifier;

public sealed class PartitionProgressTests
{
    private readonly PartitionProgress progress = new(3);

    [Fact]
    public void An_offset_is_taken_in_once_and_none_before_it_later()
    {
        progress.Take(5);
        progress.Take(7);

        Assert.Throws<InvalidOperationException>(() => progress.Take(7));
        Assert.Throws<InvalidOperationException>(() => progress.Take(6));
    }

    [Fact]
    public void No_message_gets_its_verdicts_behind_a_later_one()
    {
        progress.GiveVerdicts(5);

        Assert.Throws<InvalidOperationException>(() => progress.GiveVerdicts(5));
        Assert.Throws<InvalidOperationException>(() => progress.GiveVerdicts(4));
        Assert.Equal(6, progress.NextOffset);
    }

    [Fact]
    public void A_delivery_is_done_with_its_last_message_and_in_order()
    {
        progress.GiveVerdicts(5);
        var first = progress.BeginDelivery();
        progress.GiveVerdicts(6);
        progress.Extend(first);
        progress.GiveVerdicts(7);
        var second = progress.BeginDelivery();
        foreach (var delivery in (VerdictDelivery[])[first, second])
        {
            delivery.Sent();
            delivery.Produced(isVerified: true);
        }
        Assert.Equal(2, progress.InFlight);

        second.Acknowledged(isVerified: true);
        Assert.Equal((-1, 2), (progress.AcknowledgedOffset, progress.Outstanding));
        first.Acknowledged(isVerified: true);
        Assert.Equal((8, 0, 0), (progress.AcknowledgedOffset, progress.Outstanding, progress.InFlight));
    }

    [Fact]
    public void What_is_acknowledged_is_handed_on_for_committing_once()
    {
        Assert.False(progress.TryTakeAcknowledged(out _));
        progress.GiveVerdicts(5);
        progress.BeginDelivery().Sent();
        progress.Advance();

        Assert.True(progress.TryTakeAcknowledged(out var offset));
        Assert.Equal(6, offset);
        Assert.False(progress.TryTakeAcknowledged(out _));
    }
}
