namespace FactoryStream.Storage;

/// <summary>A name of a metric that an engine's stored readings have brought: what the bound of names an engine is counted by.</summary>
public sealed class EngineMetricRow
{
    /// <summary>The engine's number, <see cref="EngineRow.EngineNo"/>.</summary>
    public int EngineNo { get; set; }

    /// <summary>The metric's name, 1 to 128 characters.</summary>
    public required string Metric { get; set; }
}
