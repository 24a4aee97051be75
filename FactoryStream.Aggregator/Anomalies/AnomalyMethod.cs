namespace FactoryStream.Aggregator.Anomalies;

/// <summary>How far a reading is from what is normal of its engine.</summary>
internal enum AnomalyMethod
{
    /// <summary>The metric that is furthest from its median, in its own spread.</summary>
    RobustZ,

    /// <summary>Hotelling's T-squared of all metrics together, with a shrunk covariance.</summary>
    TSquared,

    /// <summary>T-squared within the principal components, and Q: how far the reading is from them.</summary>
    TSquaredAndQ,
}
