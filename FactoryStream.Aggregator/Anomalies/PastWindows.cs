using System.Runtime.InteropServices;

namespace FactoryStream.Aggregator.Anomalies;

/// <summary>A closed window and its anomaly score.</summary>
/// <param name="Start">The window's start, UTC.</param>
/// <param name="End">The window's end, UTC.</param>
/// <param name="Score">Above 1 is an anomaly.</param>
internal readonly record struct ScoredWindow(DateTime Start, DateTime End, double Score);

/// <summary>
/// The closed windows of one engine from some time on, all of them, in their order, and the anomaly score of each, learned from the
/// hour before it.
/// </summary>
/// <param name="since">From when on all windows are added, UTC.</param>
internal sealed class PastWindows(DateTime since)
{
    private readonly Dictionary<string, int> places = [];
    private readonly List<PastWindow> windows = [];

    // Beside the windows, because a run of them is what a score is learned from.
    private readonly List<double[]> means = [];

    /// <summary>From when on it has all windows, UTC.</summary>
    public DateTime Since { get; private set; } = since;

    /// <summary>Adds the next window.</summary>
    /// <param name="start">The window's start, UTC; not before that of the last one.</param>
    /// <param name="end">The window's end, UTC.</param>
    /// <param name="metrics">The mean of each metric.</param>
    public void Add(DateTime start, DateTime end, IEnumerable<(string Metric, double Mean)> metrics)
    {
        if (windows.Count > 0 && start < windows[^1].Start)
            throw new ArgumentException($"{start:O} is before {windows[^1].Start:O}, the last window's start.", nameof(start));
        var row = new double[places.Count];
        Array.Fill(row, double.NaN);
        foreach (var (metric, mean) in metrics)
        {
            if (!places.TryGetValue(metric, out var place))
            {
                places.Add(metric, place = places.Count);
                Array.Resize(ref row, places.Count);
            }
            row[place] = mean;
        }
        windows.Add(new(start, end));
        means.Add(row);
    }

    /// <summary>Forgets the windows before a time. Those that are left are scored right from an hour after it on.</summary>
    public void Forget(DateTime before)
    {
        if (before <= Since)
            return;
        Since = before;
        var count = FirstFrom(before, windows.Count);
        windows.RemoveRange(0, count);
        means.RemoveRange(0, count);
    }

    /// <summary>The windows from a time on that have a score.</summary>
    /// <param name="start">The earliest start, UTC; at least an hour after <see cref="Since"/>.</param>
    public IEnumerable<ScoredWindow> ScoresFrom(DateTime start)
    {
        if (start - AnomalyRules.LearnedTime < Since)
            throw new ArgumentOutOfRangeException(nameof(start), start, $"Windows are known from {Since:O} on, an hour before is needed.");
        for (var i = FirstFrom(start, windows.Count); i < windows.Count; i++)
        {
            if (ScoreOf(i) is { } score)
                yield return new(windows[i].Start, windows[i].End, score);
        }
    }

    private double? ScoreOf(int place)
    {
        ref var window = ref CollectionsMarshal.AsSpan(windows)[place];
        if (!window.IsScored)
        {
            var first = FirstFrom(window.Start - AnomalyRules.LearnedTime, place);
            var before = CollectionsMarshal.AsSpan(means)[first..place];
            window = window with { IsScored = true, Score = WindowScore.Of(before, means[place]) };
        }
        return window.Score;
    }

    /// <summary>The place of the first window of the first <paramref name="count"/> that starts at a time or after it.</summary>
    private int FirstFrom(DateTime start, int count)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (windows[middle].Start < start)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private readonly record struct PastWindow(DateTime Start, DateTime End, bool IsScored = false, double? Score = null);
}
