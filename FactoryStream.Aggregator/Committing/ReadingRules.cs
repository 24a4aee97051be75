using FactoryStream.Contracts;

namespace FactoryStream.Aggregator.Committing;

/// <summary>
/// Which verified readings are rejected all the same, and why. The rules depend on the message and on what is stored alone, so every
/// Aggregator decides alike.
/// </summary>
/// <param name="maxAge">How old a reading may be when its verdict is given; what retention has dropped is older.</param>
/// <param name="maxMetricsPerEngine">Most names of metrics of one engine.</param>
internal sealed class ReadingRules(TimeSpan maxAge, int maxMetricsPerEngine)
{
    private readonly List<(int EngineNo, string Metric)> newMetrics = [];
    private readonly HashSet<int> beyond = [];

    /// <summary>The names of metrics that the pending readings bring to their engines.</summary>
    public IReadOnlyList<(int EngineNo, string Metric)> NewMetrics => newMetrics;

    /// <summary>
    /// What is older than retention keeps may have been stored and dropped, so that a second copy would count twice. By the verdict's time,
    /// which the message says: it ends the same whenever and by whomever it is taken in.
    /// </summary>
    public void RejectTooOld(PendingCommit pending)
    {
        foreach (ref readonly var reading in pending.ReadingsSpan)
        {
            if (!IsTooOld(reading))
                continue;
            pending.Reject(i =>
                IsTooOld(pending.ReadingsSpan[i])
                    ? (Verdict.TooOld, $"measured more than {maxAge.TotalDays} days before its verdict: longer than readings are kept")
                    : null
            );
            return;
        }

        bool IsTooOld(in DecodedReading reading) => reading.VerdictAt - reading.MeasuredAt > maxAge;
    }

    /// <summary>
    /// Takes note of names of metrics that are new to an engine, and rejects the readings that would bring it too many. Only what is to
    /// be stored leaves its names, in the log's order and in the transaction that stores it: so a reading ends the same whoever takes it
    /// in and after any crash, and a second copy of one that was stored is never beyond the bound.
    /// </summary>
    public void LearnMetrics(PendingCommit pending)
    {
        newMetrics.Clear();
        beyond.Clear();
        for (var i = 0; i < pending.Readings.Count; i++)
        {
            if (!TryLearn(pending.Engine(i), pending.Metrics(pending.ReadingsSpan[i])))
                beyond.Add(i);
        }
        if (beyond.Count > 0)
            pending.Reject(i =>
                !beyond.Contains(i)
                    ? null
                    : (Verdict.TooManyMetrics, $"an engine may have {maxMetricsPerEngine} names of metrics, and this would bring more")
            );
    }

    private bool TryLearn(TrackedEngine engine, ReadOnlySpan<Metric> metrics)
    {
        var unknown = 0;
        for (var m = 0; m < metrics.Length; m++)
        {
            if (engine.Metrics.IndexOf(metrics[m].Name, m) < 0)
                unknown++;
        }
        if (unknown == 0)
            return true;
        if (engine.Metrics.Count + unknown > maxMetricsPerEngine)
            return false;
        for (var m = 0; m < metrics.Length; m++)
        {
            if (engine.Metrics.IndexOf(metrics[m].Name, m) >= 0)
                continue;
            engine.Metrics.Add(metrics[m].Name);
            newMetrics.Add((engine.EngineNo, metrics[m].Name));
        }
        return true;
    }
}
