namespace FactoryStream.Dashboard.Units;

/// <summary>Units and descriptions at one moment: immutable, so that every page may keep it as long as it draws.</summary>
/// <param name="Described">Unit and description of the described metrics, by their names.</param>
internal sealed record MetricUnits(IReadOnlyDictionary<string, (string? Unit, string? Description)> Described)
{
    public static readonly MetricUnits None = new(new Dictionary<string, (string?, string?)>());

    /// <summary>The unit of a metric's values; null: none is known.</summary>
    public string? Unit(string? metric) => Find(metric).Unit;

    /// <summary>The unit of its change by the second, e.g. <c>°C/s</c>; null: none is known.</summary>
    public string? UnitOfRate(string? metric) => Unit(metric) is { } unit ? $"{unit}/s" : null;

    /// <summary>What is measured; null: nobody said.</summary>
    public string? Description(string? metric) => Find(metric).Description;

    /// <summary>A metric's name as a heading has it, e.g. <c>temp_oil (°C)</c>.</summary>
    public string Title(string metric) => Unit(metric) is { } unit ? $"{metric} ({unit})" : metric;

    /// <summary>A value of a metric with its unit, e.g. <c>97.5 °C</c>.</summary>
    public string Value(string metric, string number) => Unit(metric) is { } unit ? $"{number} {unit}" : number;

    /// <summary>Metrics to choose from.</summary>
    public IReadOnlyList<MetricChoice> Choices(IEnumerable<string> metrics) =>
        [.. metrics.Select(metric => new MetricChoice(metric, Title(metric)))];

    private (string? Unit, string? Description) Find(string? metric) => metric is null ? default : Described.GetValueOrDefault(metric);
}

/// <summary>A metric to choose: its name, and the name with its unit for people.</summary>
public sealed record MetricChoice(string Name, string Text);
