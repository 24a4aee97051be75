namespace FactoryStream.Storage;

/// <summary>Totals of one metric of one engine in one window.</summary>
/// <param name="EngineNo">The engine's number.</param>
/// <param name="WindowStart">Inclusive, UTC.</param>
/// <param name="WindowEnd">Exclusive, UTC.</param>
/// <param name="Metric">The metric's name.</param>
/// <param name="Count">How many values; at least one.</param>
/// <param name="Sum">Of the values.</param>
/// <param name="Min">The least value.</param>
/// <param name="Max">The greatest value.</param>
/// <param name="SquaredDeviation">Sum of (value - mean)^2.</param>
public readonly record struct WindowTotals(
    int EngineNo,
    DateTime WindowStart,
    DateTime WindowEnd,
    string Metric,
    long Count,
    double Sum,
    double Min,
    double Max,
    double SquaredDeviation
);
