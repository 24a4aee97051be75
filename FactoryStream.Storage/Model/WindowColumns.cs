namespace FactoryStream.Storage;

/// <summary>One engine's metrics in one window, of whatever step: the columns of the tables that hold windows.</summary>
public abstract class WindowColumns
{
    /// <summary>The engine's number, <see cref="EngineRow.EngineNo"/>.</summary>
    public int EngineNo { get; set; }

    /// <summary>How often late readings corrected the closed window.</summary>
    public int Revision { get; set; }

    /// <summary>The first moment of the window, UTC, a multiple of its step since 1970.</summary>
    public DateTime WindowStart { get; set; }

    /// <summary>The first moment behind the window, UTC.</summary>
    public DateTime WindowEnd { get; set; }

    /// <summary>When this row was last written, UTC.</summary>
    public DateTime UpdatedAt { get; set; }

    /// <summary>The metrics' names, 1 to 128 characters, each once; each of the other arrays has a value for each of them.</summary>
    public required string[] Metrics { get; set; }

    /// <summary>How many readings of the window have the metric, at least 1.</summary>
    public required long[] Counts { get; set; }

    /// <summary>The sum of the values, in the metric's own unit.</summary>
    public required double[] Sums { get; set; }

    /// <summary>The least value, in the metric's own unit.</summary>
    public required double[] Mins { get; set; }

    /// <summary>The greatest value, in the metric's own unit.</summary>
    public required double[] Maxs { get; set; }

    /// <summary>
    /// Sum of (value - mean)^2; merges by Chan's formula. The population's standard deviation is the root of this by <see cref="Counts"/>.
    /// </summary>
    public required double[] SquaredDeviations { get; set; }
}
