using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace FactoryStream.Aggregator;

/// <summary>What the Aggregator measures of itself.</summary>
internal sealed class AggregatorMetrics : IDisposable
{
    public const string Name = "FactoryStream.Aggregator";

    /// <summary>The spans of transactions.</summary>
    public static readonly ActivitySource Source = new(Name);

    private readonly Meter meter;
    private long backlog;

    public AggregatorMetrics(IMeterFactory factory)
    {
        meter = factory.Create(Name);
        Stored = meter.CreateCounter<long>("factorystream.aggregator.stored", "{reading}", "Readings stored and counted");
        Duplicates = meter.CreateCounter<long>(
            "factorystream.aggregator.duplicates",
            "{reading}",
            "Second copies of accepted readings, dropped"
        );
        Late = meter.CreateCounter<long>(
            "factorystream.aggregator.late",
            "{reading}",
            "Stored readings whose window was closed already, and was corrected"
        );
        Redelivered = meter.CreateCounter<long>(
            "factorystream.aggregator.redelivered",
            "{message}",
            "Source messages that were answered twice and ignored the second time"
        );
        Rejections = meter.CreateCounter<long>("factorystream.aggregator.rejections", "{line}", "Refused and rejected lines kept");
        Unframed = meter.CreateCounter<long>(
            "factorystream.aggregator.unframed",
            "{message}",
            "Verified messages whose lines are not as many as they say; anything but 0 is a fault"
        );
        Lost = meter.CreateCounter<long>(
            "factorystream.aggregator.lost",
            "{message}",
            "Messages that Kafka's retention took before they were taken in, by topic"
        );
        WindowsClosed = meter.CreateCounter<long>("factorystream.aggregator.windows_closed", "{window}", "Windows closed, a metric each");
        RejectionsDropped = meter.CreateCounter<long>(
            "factorystream.aggregator.rejections_dropped",
            "{line}",
            "Refused and rejected lines dropped too old or too many"
        );
        PartitionsDropped = meter.CreateCounter<long>(
            "factorystream.aggregator.partitions_dropped",
            "{partition}",
            "Tables of readings and batches dropped, too old"
        );
        meter.CreateObservableGauge(
            "factorystream.aggregator.backlog",
            () => Interlocked.Read(ref backlog),
            "{message}",
            "Messages of this process's partitions that are not taken in yet, as of the last second"
        );
        CommitDuration = meter.CreateHistogram<double>(
            "factorystream.aggregator.commit.duration",
            "s",
            "From when a commit was handed over to when it was done",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
            }
        );
        MeasuredToCommitted = meter.CreateHistogram<double>(
            "factorystream.aggregator.measured_to_committed",
            "s",
            "Age of each reading, duplicates and late ones as well, at its commit",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600],
            }
        );
        CommitReadings = meter.CreateHistogram<long>(
            "factorystream.aggregator.commit.readings",
            "{reading}",
            "Readings of one transaction",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 10, 100, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000] }
        );
    }

    public Counter<long> Stored { get; }

    public Counter<long> Duplicates { get; }

    public Counter<long> Late { get; }

    public Counter<long> Redelivered { get; }

    public Counter<long> Rejections { get; }

    public Counter<long> Unframed { get; }

    public Counter<long> Lost { get; }

    public Counter<long> WindowsClosed { get; }

    public Counter<long> RejectionsDropped { get; }

    public Counter<long> PartitionsDropped { get; }

    public Histogram<double> CommitDuration { get; }

    public Histogram<double> MeasuredToCommitted { get; }

    public Histogram<long> CommitReadings { get; }

    public void Backlog(long messages) => Interlocked.Exchange(ref backlog, messages);

    public void Dispose() => meter.Dispose();
}
