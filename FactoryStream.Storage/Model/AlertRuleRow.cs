namespace FactoryStream.Storage;

/// <summary>A rule by which alerts are raised; <see cref="AlertRule"/> is what the Aggregator reads of it.</summary>
public sealed class AlertRuleRow
{
    /// <summary>Given by the database, ascending.</summary>
    public int RuleNo { get; set; }

    /// <summary>What people call it, 1 to 128 characters.</summary>
    public required string Name { get; set; }

    /// <summary>A name of <see cref="AlertKind"/>.</summary>
    public required string Kind { get; set; }

    /// <summary>Whose engines; null: every factory's.</summary>
    public string? FactoryId { get; set; }

    /// <summary>Which engine of the factory; null: all.</summary>
    public string? EngineId { get; set; }

    /// <summary>The metric of a threshold or a rate of change; null for the other kinds.</summary>
    public string? Metric { get; set; }

    /// <summary>A name of <see cref="AlertComparison"/>.</summary>
    public required string Comparison { get; set; }

    /// <summary>A name of <see cref="AlertStatistic"/>.</summary>
    public required string Statistic { get; set; }

    /// <summary>In the metric's unit, by the second for a rate of change; a number of lines for rejections; an anomaly score.</summary>
    public double Limit { get; set; }

    /// <summary>Seconds that a limit must be broken or silence last; over which rejections are counted.</summary>
    public int Duration { get; set; }

    /// <summary>A name of <see cref="AlertSeverity"/>.</summary>
    public required string Severity { get; set; }

    /// <summary>False: nothing is raised by it.</summary>
    public bool IsEnabled { get; set; }

    /// <summary>UTC.</summary>
    public DateTime CreatedAt { get; set; }

    /// <summary>When it was last changed, UTC.</summary>
    public DateTime UpdatedAt { get; set; }

    /// <summary>1, and one more with each change.</summary>
    public int Version { get; set; }
}
