using FactoryStream.Dashboard.Api;
using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Dashboard.Components;

/// <summary>What the chart shows.</summary>
public sealed record ShownMetric(string FactoryId, string EngineId, string Metric)
{
    /// <summary>As near to what is wanted as there is: that factory or the first one, that engine or its first, that metric or its first. Null without any engine.</summary>
    public static ShownMetric? Of(LatestWindows windows, string? factoryId, string? engineId, string? metric)
    {
        var engine = windows.Find(factoryId, engineId)
            ?? windows.Engines.FirstOrDefault(candidate => candidate.FactoryId == factoryId)
            ?? windows.Engines.FirstOrDefault();
        if (engine is null)
            return null;
        var metrics = MetricOrder.Of([engine]);
        return new ShownMetric(engine.FactoryId, engine.EngineId, metric is not null && metrics.Contains(metric) ? metric : metrics[0]);
    }
}

/// <summary>In which order metrics stand.</summary>
internal static class MetricOrder
{
    /// <summary>The metrics of some engines: the Python system's seven first, then by name.</summary>
    public static List<string> Of(IEnumerable<EngineWindow> engines)
    {
        var names = new HashSet<string>();
        foreach (var engine in engines)
        {
            foreach (var metric in engine.Metrics)
                names.Add(metric.Metric);
        }
        var known = LatestDataAnswer.Metrics.Where(names.Remove).ToList();
        return [.. known, .. names.Order(StringComparer.Ordinal)];
    }
}
