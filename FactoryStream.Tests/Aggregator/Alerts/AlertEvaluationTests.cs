using System.Globalization;
using FactoryStream.Aggregator.Alerts;
using FactoryStream.Storage;

namespace FactoryStream.Tests.Aggregator.Alerts;

/// <summary>Windows of ten seconds, one after the other from noon on, by their means; times are seconds since noon.</summary>
public sealed class AlertEvaluationTests
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly AlertRule Above5 = new(
        1,
        AlertKind.Threshold,
        null,
        null,
        "rpm",
        AlertComparison.Above,
        AlertStatistic.Mean,
        5,
        TimeSpan.Zero,
        AlertSeverity.Alarm
    );

    [Theory]
    [InlineData(0, "7", "raised 10 7")]
    // The limit itself is not beyond the limit.
    [InlineData(0, "5", "")]
    [InlineData(0, "1 7 8 2", "raised 20 7 cleared 40 2")]
    [InlineData(0, "7 1 8", "raised 10 7 cleared 20 1 | raised 30 8")]
    [InlineData(20, "7 8 1", "raised 20 8 cleared 30 1")]
    [InlineData(20, "7 1 8 9", "raised 40 9")]
    [InlineData(25, "7 8", "")]
    [InlineData(25, "7 8 9", "raised 30 9")]
    // A gap breaks the run, and clears nothing.
    [InlineData(20, "7 - 8", "")]
    [InlineData(20, "7 8 - 9", "raised 20 8")]
    [InlineData(20, "7 8 - 1", "raised 20 8 cleared 40 1")]
    public void A_threshold_is_raised_when_it_was_broken_for_so_long_and_cleared_by_the_first_window_that_does_not_break_it(
        int duration,
        string means,
        string expected
    ) => Assert.Equal(expected, Evaluate(Above5 with { Duration = TimeSpan.FromSeconds(duration) }, means));

    [Theory]
    [InlineData(AlertStatistic.Mean, "raised 10 7")]
    [InlineData(AlertStatistic.Min, "raised 10 6")]
    [InlineData(AlertStatistic.Max, "raised 10 8")]
    public void A_threshold_compares_the_statistic_it_names(AlertStatistic statistic, string expected) =>
        Assert.Equal(expected, Evaluate(Above5 with { Statistic = statistic }, "7"));

    [Fact]
    public void Below_is_the_other_side_of_the_limit() =>
        Assert.Equal("raised 20 4", Evaluate(Above5 with { Comparison = AlertComparison.Below }, "7 4"));

    [Theory]
    // 5 a second from one window to the next is 50 more in ten seconds.
    [InlineData("0 50", "")]
    [InlineData("0 60 61", "raised 20 6 cleared 30 0.1")]
    // The first window, and the one behind a gap, have no rate.
    [InlineData("60 - 900", "")]
    [InlineData("0 60 - 900", "raised 20 6")]
    public void A_rate_of_change_is_by_the_second_and_between_windows_without_a_gap(string means, string expected) =>
        Assert.Equal(expected, Evaluate(Above5 with { Kind = AlertKind.RateOfChange }, means));

    [Fact]
    public void A_rate_that_overflows_stays_finite() =>
        Assert.Equal(
            "raised 20 1.7976931348623157E+308",
            Evaluate(Above5 with { Kind = AlertKind.RateOfChange }, "-1.7e308 1.7e308", length: 0.1)
        );

    [Theory]
    // The run began before the first window that is evaluated.
    [InlineData(20, 10, "7 8", "raised 20 8")]
    // What was decided before the first window stands.
    [InlineData(0, 20, "7 1 8", "raised 30 8")]
    [InlineData(0, 30, "7 1 8", "")]
    public void Evaluation_begins_with_the_first_window_that_is_new(int duration, int from, string means, string expected) =>
        Assert.Equal(expected, Evaluate(Above5 with { Duration = TimeSpan.FromSeconds(duration) }, means, from));

    [Theory]
    // Nothing has changed.
    [InlineData(0, "7", "10-", "")]
    [InlineData(0, "7 1", "10-20", "")]
    [InlineData(10, "7 8", "10-", "")]
    [InlineData(10, "7 1", "10-", "1 cleared 20 1")]
    // The first window was corrected.
    [InlineData(0, "1", "10-", "1 withdrawn 10")]
    [InlineData(0, "1 1", "10-20", "1 withdrawn 10")]
    [InlineData(0, "7 1 8", "30-:8", "raised 10 7 cleared 20 1")]
    // It is the same alert, and was raised or cleared at another time, or by another value.
    [InlineData(0, "1 7", "10-", "1 changed 20-")]
    [InlineData(0, "7 8 1", "10-20", "1 changed 10-30")]
    [InlineData(0, "7 8", "10-20", "1 changed 10-")]
    [InlineData(0, "8", "10-", "1 changed 10-")]
    // Two that are now one: the first goes on, the second never was.
    [InlineData(0, "7 8 9", "10-20 30-:9", "1 changed 10- | 2 withdrawn 10")]
    // One that is now two.
    [InlineData(0, "7 1 7", "10-", "1 cleared 20 1 | raised 30 7")]
    public void What_is_stored_is_made_what_the_windows_say(int from, string means, string stored, string expected) =>
        Assert.Equal(expected, Evaluate(Above5, means, from, stored));

    [Fact]
    public void To_evaluate_without_a_window_of_the_metric_changes_nothing() =>
        Assert.Equal("", Evaluate(Above5, "7", from: 10, stored: "10-"));

    [Theory]
    [InlineData(30, "")]
    [InlineData(31, "raised 30 30")]
    public void Windows_that_have_stopped_are_silence_when_it_lasts_longer_than_the_rule_says(int seconds, string expected)
    {
        var rule = Above5 with { Kind = AlertKind.Silence, Duration = TimeSpan.FromSeconds(30) };

        var change = AlertEvaluation.OfStopped(rule, "f", 1, Noon, Noon.AddSeconds(seconds));

        Assert.Equal(expected, change is null ? "" : Text(change));
    }

    [Fact]
    public void More_rejections_than_the_limit_raise_one_alert_of_their_factory_until_there_are_fewer()
    {
        var rule = Above5 with { Kind = AlertKind.Rejections };
        var raised = new StoredAlert(3, 1, "b", null, Noon, 9, null);
        var counts = new Dictionary<string, long>
        {
            ["a"] = 6,
            ["b"] = 5,
            ["c"] = 5,
        };

        Assert.Equal(
            ["3 cleared 40 5", "raised 40 6"],
            AlertEvaluation.OfRejections(rule, counts, [raised], Noon.AddSeconds(40)).Select(Text)
        );
        counts["b"] = 6;
        Assert.Equal(["raised 40 6"], AlertEvaluation.OfRejections(rule, counts, [raised], Noon.AddSeconds(40)).Select(Text));
    }

    private static string Evaluate(AlertRule rule, string means, int from = 0, string stored = "", double length = 10)
    {
        var windows = means
            .Split(' ')
            .Select((mean, place) => (Mean: mean, Start: Noon.AddSeconds(10 * place)))
            .Where(window => window.Mean != "-")
            .Select(window => (Mean: double.Parse(window.Mean, CultureInfo.InvariantCulture), window.Start))
            .Select(window => new AlertWindow(window.Start, window.Start.AddSeconds(10), window.Mean, window.Mean - 1, window.Mean + 1))
            .ToList();
        if (length < 10)
            windows = [.. windows.Select((window, place) => Shortened(window, place, length))];
        var alerts = stored
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select((alert, place) => Stored(place + 1, alert.Split('-', ':')));
        return string.Join(" | ", AlertEvaluation.OfWindows(rule, "f", 1, windows, Noon.AddSeconds(from), alerts).Select(Text));
    }

    private static AlertWindow Shortened(AlertWindow window, int place, double length) =>
        window with
        {
            Start = Noon.AddSeconds(20 - (2 - place) * length),
            End = Noon.AddSeconds(20 - (1 - place) * length),
        };

    /// <summary>From and to; its value is 7 where none is given.</summary>
    private static StoredAlert Stored(int alertNo, string[] parts)
    {
        var raisedAt = Noon.AddSeconds(int.Parse(parts[0], CultureInfo.InvariantCulture));
        DateTime? clearedAt = parts[1].Length == 0 ? null : Noon.AddSeconds(int.Parse(parts[1], CultureInfo.InvariantCulture));
        var value = parts.Length > 2 ? int.Parse(parts[2], CultureInfo.InvariantCulture) : 7;
        return new(alertNo, 1, "f", 1, raisedAt, value, clearedAt);
    }

    private static string Text(AlertChange change)
    {
        var number = change.Stored is { } stored ? $"{stored.AlertNo} " : "";
        var cleared = change.Span.Cleared;
        return change.Event switch
        {
            AlertEvent.Raised => $"raised {Moment(change.Decided)}" + (cleared is { } end ? $" cleared {Moment(end)}" : ""),
            AlertEvent.Cleared => $"{number}cleared {Moment(change.Decided)}",
            AlertEvent.Withdrawn => $"{number}withdrawn {Moment(change.Decided)}",
            _ => $"{number}changed {Seconds(change.Span.Raised.At)}-{(cleared is { } at ? Seconds(at.At) : "")}",
        };
    }

    private static string Moment(AlertMoment moment) =>
        $"{Seconds(moment.At)} {moment.Value?.ToString(CultureInfo.InvariantCulture)}".Trim();

    private static string Seconds(DateTime time) => (time - Noon).TotalSeconds.ToString(CultureInfo.InvariantCulture);
}
