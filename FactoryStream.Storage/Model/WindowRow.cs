namespace FactoryStream.Storage;

/// <summary>One engine's one metric in one closed window.</summary>
public sealed class WindowRow
{
    /// <summary>The engine's number, <see cref="EngineRow.EngineNo"/>.</summary>
    public int EngineNo { get; set; }

    /// <summary>The first moment of the window, UTC, a multiple of ten seconds since 1970.</summary>
    public DateTime WindowStart { get; set; }

    /// <summary>The first moment behind the window, UTC.</summary>
    public DateTime WindowEnd { get; set; }

    /// <summary>The metric's name, 1 to 128 characters.</summary>
    public required string Metric { get; set; }

    /// <summary>How many readings of the window have the metric, at least 1.</summary>
    public long Count { get; set; }

    /// <summary>The sum of the values, in the metric's own unit.</summary>
    public double Sum { get; set; }

    /// <summary>The least value, in the metric's own unit.</summary>
    public double Min { get; set; }

    /// <summary>The greatest value, in the metric's own unit.</summary>
    public double Max { get; set; }

    /// <summary>
    /// Sum of (value - mean)^2; merges by Chan's formula. The population's standard deviation is the root of this by <see cref="Count"/>.
    /// </summary>
    public double SquaredDeviation { get; set; }

    /// <summary>How often late readings corrected the closed window.</summary>
    public int Revision { get; set; }

    /// <summary>Always true: an open window is not stored.</summary>
    public bool Closed { get; set; }

    /// <summary>When this row was last written, UTC.</summary>
    public DateTime UpdatedAt { get; set; }
}
