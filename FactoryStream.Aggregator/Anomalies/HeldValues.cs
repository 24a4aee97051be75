namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// The last known value of each metric. A metric that a reading lacks has the value that it had: sensors of one engine need not be read
/// equally often, and a value put there by us would break what they have in common.
/// </summary>
internal sealed class HeldValues
{
    private readonly double[] last;

    /// <param name="past">Readings of the same metrics, oldest first. A value that is no finite number is missing.</param>
    public HeldValues(IReadOnlyList<double[]> past)
    {
        last = new double[past[0].Length];
        // Before its first value a metric has its first value; one that never had any has 0, is constant, and does not count.
        for (var metric = 0; metric < last.Length; metric++)
            last[metric] = past.Select(reading => reading[metric]).FirstOrDefault(double.IsFinite);
    }

    /// <summary>Takes a reading in.</summary>
    /// <returns>Its metrics, those missing as they were before; overwritten by the next call.</returns>
    public ReadOnlySpan<double> Next(ReadOnlySpan<double> metrics)
    {
        if (metrics.Length != last.Length)
            throw new ArgumentException($"{metrics.Length} metrics, and {last.Length} were learned.", nameof(metrics));
        for (var metric = 0; metric < last.Length; metric++)
        {
            if (double.IsFinite(metrics[metric]))
                last[metric] = metrics[metric];
        }
        return last;
    }
}
