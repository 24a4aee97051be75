using FactoryStream.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace FactoryStream.Tests.ServiceDefaults;

public sealed class StalledWorkTests
{
    private readonly FakeTimeProvider clock = new();

    [Fact]
    public void Work_that_waits_stands_still_until_some_of_it_is_taken()
    {
        var work = new StalledWork(clock);
        work.Observe(3, 7);
        clock.Advance(TimeSpan.FromSeconds(40));
        work.Observe(5, 7);
        Assert.Equal((5, TimeSpan.FromSeconds(40)), (work.Waiting, work.StandsStillFor));
        work.Observe(5, 8);
        Assert.Equal(TimeSpan.Zero, work.StandsStillFor);
        // Nobody looks: it stands still for all that is known.
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(2), work.StandsStillFor);
    }

    [Fact]
    public void Where_nothing_waits_nothing_stands_still()
    {
        var work = new StalledWork(clock);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.Zero, work.StandsStillFor);
        work.Observe(0, 7);
        clock.Advance(TimeSpan.FromHours(1));
        work.Observe(1, 7);
        Assert.Equal(TimeSpan.Zero, work.StandsStillFor);
    }
}
