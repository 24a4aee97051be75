namespace FactoryStream.Dashboard.Windows;

/// <summary>Unbroken runs of points: no line is drawn over a time of which nothing is known.</summary>
internal static class SeriesRuns
{
    /// <param name="points">The oldest first.</param>
    /// <param name="bounds">A point's start and end.</param>
    /// <param name="bridged">Longest time without a point that breaks no run.</param>
    public static List<IReadOnlyList<T>> Of<T>(IEnumerable<T> points, Func<T, (DateTime Start, DateTime End)> bounds, TimeSpan bridged)
    {
        var runs = new List<IReadOnlyList<T>>();
        var run = new List<T>();
        foreach (var point in points)
        {
            if (run.Count > 0 && bounds(point).Start - bounds(run[^1]).End > bridged)
            {
                runs.Add(run);
                run = [];
            }
            run.Add(point);
        }
        if (run.Count > 0)
            runs.Add(run);
        return runs;
    }
}
