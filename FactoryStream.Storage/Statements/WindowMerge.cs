using FactoryStream.Contracts;

namespace FactoryStream.Storage;

/// <summary>
/// Windows merged into one. Here and not in SQL: PostgreSQL's own arithmetic ends a statement where a value overflows or underflows, and
/// one odd reading must not stop all others.
/// </summary>
public sealed class WindowMerge
{
    private readonly List<MetricTotals> totals = [];
    private readonly Dictionary<string, int> places = [];

    /// <summary>The greatest revision of the windows that were added.</summary>
    public int Revision { get; private set; }

    /// <summary>What they hold together, each metric once, in the order in which they came.</summary>
    public List<MetricRow> Metrics =>
        totals.ConvertAll(metric => new MetricRow(
            metric.Metric,
            metric.Count,
            metric.Sum,
            metric.Min,
            metric.Max,
            metric.SquaredDeviation
        ));

    /// <summary>Windows put together by steps: all of an engine that begin in one step are one.</summary>
    /// <param name="windows">In any order, each once.</param>
    /// <param name="length">The step's length.</param>
    /// <returns>By engine and start.</returns>
    public static List<StoredWindow> ByStep(IEnumerable<StoredWindow> windows, TimeSpan length)
    {
        var steps = new Dictionary<(int EngineNo, DateTime Start), WindowMerge>();
        foreach (var (window, revision) in windows)
        {
            var key = (window.EngineNo, WindowStep.Floor(window.WindowStart, length));
            if (!steps.TryGetValue(key, out var merge))
                steps[key] = merge = new WindowMerge();
            merge.Add(window.Metrics, revision);
        }
        return
        [
            .. from step in steps
            orderby step.Key
            let end = step.Key.Start + length
            select new StoredWindow(new(step.Key.EngineNo, step.Key.Start, end, step.Value.Metrics), step.Value.Revision),
        ];
    }

    /// <summary>Adds one more window.</summary>
    /// <param name="metrics">Its metrics, each once.</param>
    /// <param name="revision">Its revision.</param>
    public void Add(IReadOnlyList<MetricRow> metrics, int revision = 0)
    {
        Revision = Math.Max(Revision, revision);
        for (var i = 0; i < metrics.Count; i++)
        {
            var row = metrics[i];
            var added = new MetricTotals(row.Metric, row.Count, row.Sum, row.Min, row.Max, row.SquaredDeviation);
            // Windows of one engine mostly have the same metrics in the same order.
            if (i < totals.Count && totals[i].Metric == row.Metric)
                totals[i] = totals[i].With(added);
            else if (places.TryGetValue(row.Metric, out var place))
                totals[place] = totals[place].With(added);
            else
            {
                places.Add(row.Metric, totals.Count);
                totals.Add(added);
            }
        }
    }
}
