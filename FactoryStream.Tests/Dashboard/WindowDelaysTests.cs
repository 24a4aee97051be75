using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Pipeline;

namespace FactoryStream.Tests.Dashboard;

public sealed class WindowDelaysTests
{
    private static readonly DateTime Now = new(2026, 2, 25, 6, 13, 20, DateTimeKind.Utc);

    [Fact]
    public void Half_and_nearly_all_of_the_windows_took_at_most_what_is_said() =>
        Assert.Equal(
            new WindowDelay(100, 50, 99),
            WindowDelays.Of(Enumerable.Range(1, 100).Select(seconds => Window(Now, seconds, revision: 0)), Now)
        );

    [Fact]
    public void Windows_of_earlier_and_corrected_ones_are_left_out() =>
        Assert.Equal(
            new WindowDelay(1, 3, 3),
            WindowDelays.Of([Window(Now.AddMinutes(-1), 90, 0), Window(Now, 70, revision: 1), Window(Now, 3, 0)], Now)
        );

    [Fact]
    public void Without_any_window_there_is_no_delay() => Assert.Equal(new WindowDelay(0, null, null), WindowDelays.Of([], Now));

    private static EngineWindow Window(DateTime updatedAt, int seconds, int revision)
    {
        var end = updatedAt.AddSeconds(-seconds);
        return new(1, "f", "e", end.AddSeconds(-10), end, updatedAt, [new("rpm", 1, 10, revision)]);
    }
}
