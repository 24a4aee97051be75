using System.Diagnostics.Metrics;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator;

/// <summary>The meter <c>FactoryStream.Aggregator</c>.</summary>
internal sealed class AggregatorMetrics : IDisposable
{
    public const string MeterName = "FactoryStream.Aggregator";

    private readonly Meter meter;
    private long backlog;

    public AggregatorMetrics(IMeterFactory factory)
    {
        meter = factory.Create(MeterName);
        Stored = meter.CreateCounter<long>("factorystream.aggregator.reading.stored", "{reading}", "Readings stored and counted.");
        Duplicates = meter.CreateCounter<long>(
            "factorystream.aggregator.reading.duplicate",
            "{reading}",
            "Second copies of accepted readings, which were dropped."
        );
        Late = meter.CreateCounter<long>(
            "factorystream.aggregator.reading.late",
            "{reading}",
            "Stored readings whose window was closed already and was corrected."
        );
        Redelivered = meter.CreateCounter<long>(
            "factorystream.aggregator.message.redelivered",
            "{message}",
            "Source messages whose verdicts came twice and were ignored the second time."
        );
        Rejections = meter.CreateCounter<long>("factorystream.aggregator.rejection.stored", "{line}", "Refused and rejected lines stored.");
        Unframed = meter.CreateCounter<long>(
            "factorystream.aggregator.message.unframed",
            "{message}",
            "Verified messages with another number of lines than their source positions name; anything but 0 is a fault."
        );
        Lost = meter.CreateCounter<long>(
            "factorystream.aggregator.message.lost",
            "{message}",
            "Messages that Kafka's retention dropped before they were read, by topic."
        );
        WindowRowsClosed = meter.CreateCounter<long>(
            "factorystream.aggregator.window.row.closed",
            "{row}",
            "Rows of closed windows written: one for each metric of a window."
        );
        RejectionsDropped = meter.CreateCounter<long>(
            "factorystream.aggregator.rejection.dropped",
            "{line}",
            "Refused and rejected lines dropped because they were too old or too many."
        );
        TablePartitionsDropped = meter.CreateCounter<long>(
            "factorystream.aggregator.table_partition.dropped",
            "{partition}",
            "Table partitions of readings and signed batches dropped because they were too old."
        );
        AlertEvents = meter.CreateCounter<long>(
            "factorystream.aggregator.alert.event",
            "{event}",
            "Alerts raised, cleared, and changed or withdrawn by late readings, by event."
        );
        meter.CreateObservableGauge(
            "factorystream.aggregator.backlog",
            () => Interlocked.Read(ref backlog),
            "{message}",
            "Messages of this replica's partitions that are not read yet, measured once a second."
        );
        CommitDuration = meter.CreateHistogram<double>(
            "factorystream.aggregator.commit.duration",
            "s",
            "Time from handing a pending commit over to its transaction's end.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
            }
        );
        ReadingAge = meter.CreateHistogram<double>(
            "factorystream.aggregator.reading.age",
            "s",
            "Age of each reading at its commit: from its timestamp on, duplicates and late ones included.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600],
            }
        );
        CommitReadings = meter.CreateHistogram<long>(
            "factorystream.aggregator.commit.reading.count",
            "{reading}",
            "Readings of a pending commit.",
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

    public Counter<long> WindowRowsClosed { get; }

    public Counter<long> RejectionsDropped { get; }

    public Counter<long> TablePartitionsDropped { get; }

    public Counter<long> AlertEvents { get; }

    public Histogram<double> CommitDuration { get; }

    public Histogram<double> ReadingAge { get; }

    public Histogram<long> CommitReadings { get; }

    public void CountAlertEvents(IReadOnlyList<AlertChange> changes)
    {
        foreach (var change in changes)
            AlertEvents.Add(1, new KeyValuePair<string, object?>("event", AlertNames.ToName(change.Event)));
    }

    public void Backlog(long messages) => Interlocked.Exchange(ref backlog, messages);

    public void Dispose() => meter.Dispose();
}
