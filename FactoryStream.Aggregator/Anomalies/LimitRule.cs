namespace FactoryStream.Aggregator.Anomalies;

/// <summary>Where the limit of a distance comes from; never from a label.</summary>
internal enum LimitRule
{
    /// <summary>From the distribution that the distance has if readings are normal and independent of each other.</summary>
    Theory,

    /// <summary>From the distances of the learned readings: a quantile and an allowance.</summary>
    Quantile,
}
