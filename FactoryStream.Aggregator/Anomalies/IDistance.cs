namespace FactoryStream.Aggregator.Anomalies;

/// <summary>A squared distance from what is normal of an engine; of finite values it is finite and not negative.</summary>
internal interface IDistance
{
    /// <summary>
    /// What one of a thousand normal readings exceeds (<see cref="AnomalyRules.FalseAlarms"/>); null: theory has none for so few readings.
    /// </summary>
    double? TheoryLimit { get; }

    /// <summary>Of one reading's metrics, in the order in which they were learned.</summary>
    double Of(ReadOnlySpan<double> metrics);
}
