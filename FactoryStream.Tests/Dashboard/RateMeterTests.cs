using FactoryStream.Dashboard.Pipeline;

namespace FactoryStream.Tests.Dashboard;

public sealed class RateMeterTests
{
    private readonly RateMeter meter = new();

    [Fact]
    public void One_look_has_no_rate_and_two_have_their_difference_by_the_time_between() =>
        Assert.Equal([null, 10, 5], [Observe(100, 0), Observe(120, 2), Observe(120, 4)]);

    [Fact]
    public void A_rate_covers_the_last_ten_seconds()
    {
        for (var second = 0; second <= 20; second += 2)
            Observe(second <= 10 ? 0 : (second - 10) * 7, second);

        Assert.Equal(7, Observe(84, 22));
    }

    [Fact]
    public void A_count_that_went_down_begins_anew() => Assert.Equal([null, null, 1], [Observe(100, 0), Observe(5, 2), Observe(7, 4)]);

    [Fact]
    public void A_look_of_long_ago_tells_nothing() => Assert.Equal([null, null, 3], [Observe(0, 0), Observe(500, 100), Observe(506, 102)]);

    [Fact]
    public void The_same_look_again_changes_nothing()
    {
        Observe(0, 0);

        Assert.Equal([4, 4, 4], [Observe(8, 2), Observe(8, 2), Observe(16, 4)]);
    }

    [Fact]
    public void Counts_do_not_disturb_each_other()
    {
        Observe(0, 0);

        Assert.Null(meter.Observe("other", 50, TimeSpan.FromSeconds(1)));
        Assert.Equal(1, Observe(2, 2));
    }

    private double? Observe(long count, double seconds) => meter.Observe("one", count, TimeSpan.FromSeconds(seconds));
}
