using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Tests.Benchmarks;

public sealed class ProcessUsageTests
{
    [Fact]
    public void A_process_may_have_any_name()
    {
        Assert.True(ProcessStat.TryParse("1234 (a) b (c) S 17 1234 1234 0 -1 4194560 900 0 0 0 150 20 30 4 20 0 1 0 99\n", out var stat));
        Assert.Equal(new ProcessStat(17, 170, 34), stat);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234 (a")]
    [InlineData("1234 (a) S 17 1")]
    public void Text_that_is_no_process_statistics_is_refused(string stat) => Assert.False(ProcessStat.TryParse(stat, out _));

    [Fact]
    public void The_machines_time_is_busy_idle_and_stolen() =>
        Assert.Equal(new MachineStat(3357 + 1 + 4313 + 2 + 5, 1362393 + 10, 7), MachineStat.Parse("cpu  3357 1 4313 1362393 10 2 5 7 0 0"));

    [Fact]
    public void Kilobytes_are_found_by_their_whole_name()
    {
        string[] lines = ["Name:\tx", "VmHWMx:\t 1 kB", "VmHWM:\t   48692 kB"];

        Assert.Equal(48692 * 1024, ProcFiles.Kilobytes(lines, "VmHWM"));
        Assert.Equal(0, ProcFiles.Kilobytes(lines, "VmPeak"));
    }

    [Fact]
    public void A_tree_holds_children_of_children_and_nobody_else()
    {
        var all = new Dictionary<int, ProcessStat>
        {
            [10] = new(1, 0, 0),
            [11] = new(10, 0, 0),
            [12] = new(11, 0, 0),
            [13] = new(1, 0, 0),
        };

        Assert.Equal([10, 11, 12], ProcFiles.Tree(all, 10));
        Assert.Empty(ProcFiles.Tree(all, 99));
    }
}
