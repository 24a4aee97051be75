using FactoryStream.Dashboard.Engines;
using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Tests.Dashboard;

/// <summary>What an engine's page shows, and the address that holds it.</summary>
public sealed class EngineViewTests
{
    private static readonly DateTime Six = new(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("")]
    [InlineData("?range=24h")]
    [InlineData("?range=1h&metric=rpm&metric=temp%20air")]
    [InlineData("?from=2026-02-25T06%3A00%3A00Z&to=2026-02-25T07%3A30%3A00Z&compare=week")]
    [InlineData("?range=7d&compare_factory=f%2F1&compare_engine=e%26e")]
    public void An_address_holds_the_whole_view(string query)
    {
        Assert.True(EngineView.TryParse(Query(query), out var view, out var error), error);

        Assert.Equal(query, view.ToString());
    }

    [Theory]
    [InlineData("?range=2h", "range: expected 15m, 1h, 6h, 24h, 7d, 30d, found '2h'.")]
    [InlineData("?from=yesterday&to=2026-02-25T07:00:00Z", "from: expected")]
    [InlineData("?from=2026-02-25T07:00:00Z", "from and to: expected both of them, found one.")]
    [InlineData("?from=2026-02-25T07:00:00Z&to=2026-02-25T07:00:00Z", "from: expected a time before to")]
    [InlineData("?from=2026-02-25T07:00:00Z&to=2026-02-25T07:00:30Z", "from and to: expected 1 minute to 720 days.")]
    [InlineData("?from=2016-02-25T07:00:00Z&to=2026-02-25T07:00:30Z", "from and to: expected 1 minute to 720 days.")]
    [InlineData("?compare=year", "compare: expected day, week, found 'year'.")]
    [InlineData("?compare_engine=e", "compare_factory and compare_engine: expected both of them")]
    public void What_is_wrong_in_an_address_is_named(string query, string named)
    {
        Assert.False(EngineView.TryParse(Query(query), out var view, out var error));

        Assert.StartsWith(named, error, StringComparison.Ordinal);
        Assert.Same(EngineView.Default, view);
    }

    [Theory]
    [InlineData("15m", "2026-02-25 06:00:10", "2026-02-25 05:45:10")]
    [InlineData("1h", "2026-02-25 06:00:10", "2026-02-25 05:00:10")]
    [InlineData("6h", "2026-02-25 06:00:10", "2026-02-25 00:01:00")]
    [InlineData("24h", "2026-02-25 06:00:00", "2026-02-24 06:00:00")]
    [InlineData("30d", "2026-02-25 06:30:00", "2026-01-26 07:00:00")]
    [InlineData("7d", "1970-01-02 00:00:00", "1970-01-01 00:00:00")]
    public void A_live_view_ends_at_the_newest_window_and_begins_with_a_whole_step(string range, string newestEnd, string from)
    {
        Assert.True(EngineView.TryParse(Query($"?range={range}"), out var view, out _));

        var shown = view.RangeAt(Utc(newestEnd));

        Assert.Equal((Utc(from), Utc(newestEnd)), shown);
        Assert.InRange(shown.To - shown.From, TimeSpan.Zero, view.Live.Span);
    }

    [Fact]
    public void Zoom_keeps_the_middle_and_its_bounds_and_a_move_keeps_the_length()
    {
        var range = (Six, Six.AddHours(1));

        Assert.Equal((Six.AddMinutes(15), Six.AddMinutes(45)), EngineView.Default.Zoom(range, 0.5).Fixed);
        Assert.Equal((Six.AddMinutes(-30), Six.AddMinutes(90)), EngineView.Default.Zoom(range, 2).Fixed);
        Assert.Equal((Six.AddMinutes(30), Six.AddMinutes(90)), EngineView.Default.Move(range, 0.5).Fixed);
        Assert.Equal((Six.AddMinutes(-30), Six.AddMinutes(30)), EngineView.Default.Move(range, -0.5).Fixed);
        Assert.Equal(EngineView.MinSpan, Span(EngineView.Default.Zoom((Six, Six.AddMinutes(1)), 0.5)));
        Assert.Equal(SeriesStep.MaxSpan, Span(EngineView.Default.Zoom((Six, Six.AddDays(700)), 2)));
        var first = (DateTime.UnixEpoch, DateTime.UnixEpoch.AddDays(1));
        Assert.Equal(first, EngineView.Default.Move(first, -0.5).Fixed);

        static TimeSpan Span(EngineView view) => view.Fixed!.Value.To - view.Fixed.Value.From;
    }

    [Fact]
    public void A_gap_of_one_step_is_a_gap_and_a_comparison_is_moved_to_the_time_that_is_shown()
    {
        var series = Series(0, 1, 3);
        var lines = MetricLines.Of("rpm", (Six, Six.AddHours(4)), series, Series(-24, -22), TimeSpan.FromDays(1));

        Assert.Equal(["6 7", "9"], Hours(lines.Runs));
        Assert.Equal(1, lines.Gaps);
        Assert.Equal([9], lines.Corrected.Select(point => point.Start.Hour));
        Assert.Equal(["6", "8"], Hours(lines.ComparedRuns));
        Assert.Empty(MetricLines.Of("temp", lines.Range, series, null, TimeSpan.Zero).Points);

        static IEnumerable<string> Hours(IEnumerable<IEnumerable<StepPoint>> runs) =>
            runs.Select(run => string.Join(' ', run.Select(point => point.Start.Hour)));
    }

    /// <summary>A point in each of these hours; that of hour 3 was corrected.</summary>
    private static WindowSeries Series(params int[] hours)
    {
        var points = hours.Select(hour => new StepPoint(
            Six.AddHours(hour),
            Six.AddHours(hour + 1),
            new("rpm", 1, 1, 1, 1, 0),
            hour == 3 ? 1 : 0
        ));
        return new(TimeSpan.FromHours(1), [new("rpm", [.. points])]);
    }

    private static EngineQuery Query(string query)
    {
        var values = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query);
        return new(
            One("range"),
            One("from"),
            One("to"),
            values.TryGetValue("metric", out var metrics) ? [.. metrics.Select(metric => metric!)] : [],
            One("compare"),
            One("compare_factory"),
            One("compare_engine")
        );

        string? One(string name) => values.TryGetValue(name, out var value) ? value.ToString() : null;
    }

    private static DateTime Utc(string text) =>
        DateTime.SpecifyKind(DateTime.Parse(text, System.Globalization.CultureInfo.InvariantCulture), DateTimeKind.Utc);
}
