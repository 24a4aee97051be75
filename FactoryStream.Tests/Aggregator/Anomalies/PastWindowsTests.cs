using System.Globalization;
using FactoryStream.Aggregator.Alerts;
using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Storage;

namespace FactoryStream.Tests.Aggregator.Anomalies;

/// <summary>Windows of ten seconds, one after the other from noon on. An engine's metrics are noise of the spread 1 about 100.</summary>
public sealed class PastWindowsTests
{
    private const int Metrics = 7;

    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly AlertRule Unusual = new(
        1,
        AlertKind.Anomaly,
        null,
        null,
        null,
        AlertComparison.Above,
        AlertStatistic.Mean,
        1,
        TimeSpan.FromSeconds(30),
        AlertSeverity.Warning
    );

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Ordinary_noise_raises_no_alert(int seed)
    {
        var windows = Noise(seed, 2_000);

        Assert.Empty(Alerts(windows));
        // One window alone may be odd once in a while; what is normal is mostly well within the limit.
        var scores = Scores(windows).Select(window => window.Score).ToArray();
        Assert.Equal(2_000 - AnomalyRules.LeastWindows, scores.Length);
        Assert.InRange(scores.Count(score => score > 1), 0, 10);
        Assert.InRange(Ranks.Median(scores), 0.2, 0.7);
    }

    [Fact]
    public void A_slow_drift_raises_no_alert()
    {
        var windows = Noise(1, 2_000);
        for (var i = 0; i < windows.Count; i++)
            windows[i][0] += i * 0.01;

        Assert.Empty(Alerts(windows));
    }

    [Fact]
    public void A_step_of_one_metric_raises_an_alert_which_is_over_when_it_is_what_is_normal()
    {
        var windows = Noise(1, 900);
        for (var i = 400; i < windows.Count; i++)
            windows[i][3] += 10;

        var alerts = Alerts(windows);
        var alert = alerts[0];

        // Three windows last 30 seconds: the third one's end.
        Assert.Equal((AlertEvent.Raised, Noon.AddSeconds(4_030)), (alert.Event, alert.Decided.At));
        Assert.InRange(alert.Decided.Value!.Value, 1.5, 3);
        // A quarter of an hour is a quarter of what is learned.
        Assert.InRange(alert.Span.Cleared!.Value.At, Noon.AddSeconds(4_000 + 600), Noon.AddSeconds(4_000 + 900));
        // About that time the score is about 1, and the alert may come back once.
        Assert.InRange(alerts[^1].Span.Cleared!.Value.At, alert.Span.Cleared.Value.At, Noon.AddSeconds(4_000 + 900));
    }

    [Fact]
    public void A_correction_withdraws_the_alert()
    {
        var windows = Noise(1, 400);
        var normal = windows[399].ToArray();
        for (var i = 397; i < 400; i++)
            windows[i][3] += 10;
        var raised = Assert.Single(Alerts(windows));
        var stored = new StoredAlert(1, 1, "f", 1, raised.Span.Raised.At, raised.Span.Raised.Value!.Value, null);
        windows[399] = normal;

        var change = Assert.Single(AlertEvaluation.OfWindows(Unusual, "f", 1, AlertWindows(windows), StartOf(399), [stored]));

        Assert.Equal(AlertEvent.Withdrawn, change.Event);
    }

    [Fact]
    public void There_is_no_score_before_thirty_windows_nor_after_a_long_pause()
    {
        var past = new PastWindows(Noon.AddHours(-1));
        for (var i = 0; i < 31; i++)
            past.Add(StartOf(i), StartOf(i + 1), [("rpm", i % 5)]);
        for (var i = 362; i < 364; i++)
            past.Add(StartOf(i), StartOf(i + 1), [("rpm", 900)]);

        // The window at 300 s has thirty before it. Of those after the pause the first has 29 in its hour, the other 28 and one more.
        Assert.Equal([300.0], past.ScoresFrom(Noon).Select(window => (window.Start - Noon).TotalSeconds));
    }

    [Fact]
    public void A_metric_that_never_changed_or_is_new_does_not_count_and_one_that_is_missing_says_nothing()
    {
        var past = new PastWindows(Noon.AddHours(-1));
        for (var i = 0; i < 100; i++)
            past.Add(
                StartOf(i),
                StartOf(i + 1),
                [("constant", 5), ("rpm", i % 5), ("torque", i % 2 == 0 ? i % 3 : double.PositiveInfinity)]
            );
        past.Add(StartOf(100), StartOf(101), [("constant", 900), ("rpm", 2)]);
        past.Add(StartOf(101), StartOf(102), [("new", 1e9), ("rpm", 2)]);
        past.Add(StartOf(102), StartOf(103), [("other", 7)]);
        past.Add(StartOf(103), StartOf(104), [("torque", 1e300), ("rpm", 2)]);

        var scores = past.ScoresFrom(StartOf(100)).ToArray();

        Assert.Equal([1_000.0, 1_010, 1_030], scores.Select(window => (window.Start - Noon).TotalSeconds));
        Assert.Equal((0, 0), (scores[0].Score, scores[1].Score));
        Assert.InRange(scores[2].Score, 1_000, double.MaxValue);
    }

    [Fact]
    public void Scores_are_the_same_whether_windows_are_kept_or_read_again()
    {
        var windows = Noise(5, 800);
        windows[500][2] += 40;
        var kept = new PastWindows(Noon.AddHours(-1));

        for (var i = 0; i < windows.Count; i++)
        {
            kept.Add(StartOf(i), StartOf(i + 1), Named(windows[i]));
            kept.Forget(StartOf(i).AddHours(-1));
            var since = Math.Max(0, i - 360);
            var read = new PastWindows(StartOf(i).AddHours(-1));
            // The metrics come in another order, too.
            for (var j = since; j <= i; j++)
                read.Add(StartOf(j), StartOf(j + 1), Named(windows[j]).Reverse());

            Assert.Equal(read.ScoresFrom(StartOf(i)), kept.ScoresFrom(StartOf(i)));
        }
    }

    [Fact]
    public void Windows_that_were_forgotten_and_windows_out_of_order_are_refused()
    {
        var past = new PastWindows(Noon);
        past.Add(StartOf(1), StartOf(2), [("rpm", 1)]);

        Assert.Throws<ArgumentException>(() => past.Add(Noon, StartOf(1), [("rpm", 1)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => past.ScoresFrom(Noon.AddMinutes(59)).Count());
        Assert.Empty(past.ScoresFrom(Noon.AddHours(1)));
    }

    private static List<double[]> Noise(int seed, int count)
    {
        var noise = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Metrics).Select(_ => 100 + Normal(noise)).ToArray())];
    }

    /// <summary>Box and Muller's.</summary>
    private static double Normal(Random noise) =>
        Math.Sqrt(-2 * Math.Log(1 - noise.NextDouble())) * Math.Cos(2 * Math.PI * noise.NextDouble());

    private static IEnumerable<(string, double)> Named(double[] means) =>
        means.Select((mean, metric) => (string.Create(CultureInfo.InvariantCulture, $"metric_{metric}"), mean));

    private static IEnumerable<ScoredWindow> Scores(List<double[]> windows)
    {
        var past = new PastWindows(Noon.AddHours(-1));
        for (var i = 0; i < windows.Count; i++)
            past.Add(StartOf(i), StartOf(i + 1), Named(windows[i]));
        return past.ScoresFrom(Noon);
    }

    private static AlertWindow[] AlertWindows(List<double[]> windows) =>
        [.. Scores(windows).Select(window => new AlertWindow(window.Start, window.End, window.Score, window.Score, window.Score))];

    private static AlertChange[] Alerts(List<double[]> windows) =>
        [.. AlertEvaluation.OfWindows(Unusual, "f", 1, AlertWindows(windows), Noon, [])];

    private static DateTime StartOf(int window) => Noon.AddSeconds(10 * window);
}
