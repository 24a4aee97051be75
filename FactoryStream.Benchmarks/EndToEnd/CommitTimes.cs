using FactoryStream.Contracts;
using FactoryStream.Simulator.Factories;
using FactoryStream.Simulator.Load;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>At a moment, so many of a factory's readings in a partition were committed.</summary>
internal readonly record struct CommitObservation(DateTime At, int Partition, string FactoryId, long Committed);

/// <summary>
/// From a reading's planned instant to the moment at which its commit was seen. One factory keeps to one connection and one engine to one
/// partition, so the n-th reading that the ledger counts for a factory and partition is the n-th of it in the corpus: looking at the ledger
/// tells of every single reading, and at most one look too late.
/// </summary>
internal sealed class CommitTimes
{
    private readonly CorpusPlan plan;
    private readonly double rate;
    private readonly Dictionary<(int Partition, string FactoryId), List<long>> lines = [];

    /// <param name="plan">What was sent.</param>
    /// <param name="rate">Readings a second.</param>
    /// <param name="partitions">Of the topic.</param>
    public CommitTimes(CorpusPlan plan, double rate, int partitions)
    {
        this.plan = plan;
        this.rate = rate;
        var lists = new List<long>[plan.Factories, plan.Engines];
        for (var factory = 0; factory < plan.Factories; factory++)
        {
            for (var engine = 0; engine < plan.Engines; engine++)
            {
                var id = plan.FactoryId(factory);
                var key = (Partitioner.Partition(id, new EngineModel(id, engine + 1).EngineId, partitions), id);
                if (!lines.TryGetValue(key, out var list))
                    lines.Add(key, list = []);
                lists[factory, engine] = list;
            }
        }
        for (var line = 0L; line < plan.Readings; line++)
            lists[plan.FactoryOf(line / plan.Post), plan.EngineOf(line)].Add(line);
    }

    /// <summary>When the POST of a line is due, after the start.</summary>
    public TimeSpan DueAt(long line) => TimeSpan.FromSeconds((LastOfPost(line) + 1) / rate);

    /// <summary>
    /// When a line is measured, after the start: its factory's machines measure at an even pace and the last reading of a POST just before
    /// it is due.
    /// </summary>
    public TimeSpan MeasuredAt(long line) =>
        DueAt(line) - (plan.MeasuredAt(LastOfPost(line)) - plan.MeasuredAt(line)) * (plan.EventRate / rate);

    /// <summary>Times from measured and from due to committed.</summary>
    /// <param name="startedAt">When the first POST was sent.</param>
    /// <param name="observations">In the order of their time.</param>
    public (LatencyHistogram FromMeasured, LatencyHistogram FromDue) Compute(
        DateTime startedAt,
        IEnumerable<CommitObservation> observations
    )
    {
        var (fromMeasured, fromDue) = (new LatencyHistogram(), new LatencyHistogram());
        var seen = new Dictionary<(int, string), int>();
        foreach (var observation in observations)
        {
            var key = (observation.Partition, observation.FactoryId);
            if (!lines.TryGetValue(key, out var ofKey))
                continue;
            var since = observation.At - startedAt;
            var committed = (int)Math.Min(observation.Committed, ofKey.Count);
            for (var i = seen.GetValueOrDefault(key); i < committed; i++)
            {
                fromMeasured.Record(since - MeasuredAt(ofKey[i]));
                fromDue.Record(since - DueAt(ofKey[i]));
            }
            seen[key] = Math.Max(seen.GetValueOrDefault(key), committed);
        }
        return (fromMeasured, fromDue);
    }

    private long LastOfPost(long line)
    {
        var post = line / plan.Post;
        return post * plan.Post + plan.ReadingsOf(post) - 1;
    }
}
