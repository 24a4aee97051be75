using FactoryStream.Contracts;

namespace FactoryStream.Tests.Contracts;

public sealed class PartitionCountsTests
{
    [Theory]
    [InlineData("xx..", 2)]
    [InlineData("x...", 1)]
    // All or none: nothing was enlarged, or nothing was ever taken in.
    [InlineData("xxxx", null)]
    [InlineData("....", null)]
    // Several Aggregators that have just begun.
    [InlineData("x.x.", null)]
    [InlineData(".xxx", null)]
    public void Partitions_that_the_Aggregator_never_took_are_new_ones(string offsets, int? recorded) =>
        Assert.Equal(recorded, PartitionCounts.Fewer([.. offsets.Select(offset => offset == 'x')]));

    [Fact]
    public void Topics_of_different_numbers_of_partitions_are_told_and_those_alike_are_not()
    {
        Assert.Null(PartitionCounts.Unequal([4, 4, 4]));
        Assert.Contains("12, 12, 24", PartitionCounts.Unequal([12, 12, 24]), StringComparison.Ordinal);
    }
}
