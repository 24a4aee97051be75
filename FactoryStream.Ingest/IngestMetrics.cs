using System.Diagnostics.Metrics;
using FactoryStream.Contracts;

namespace FactoryStream.Ingest;

/// <summary>The meter <c>FactoryStream.Ingest</c>.</summary>
internal sealed class IngestMetrics : IDisposable
{
    public const string MeterName = "FactoryStream.Ingest";

    private static readonly KeyValuePair<string, object?>[] ReasonTags =
    [
        .. Enum.GetValues<Verdict>().Select(verdict => new KeyValuePair<string, object?>("reason", verdict.ToName())),
    ];

    private readonly Meter meter;
    private readonly Counter<long> accepted;
    private readonly Counter<long> refused;
    private readonly Counter<long> unacknowledged;
    private readonly Histogram<int> messageReadings;
    private readonly Histogram<double> acknowledgement;
    private readonly Counter<long> sourceConnections;
    private readonly Counter<long> streamMissed;
    private readonly UpDownCounter<int> streamClients;

    public IngestMetrics(IMeterFactory meters)
    {
        meter = meters.Create(MeterName);
        accepted = meter.CreateCounter<long>("factorystream.ingest.accepted", "{reading}", "Readings that Kafka acknowledged.");
        refused = meter.CreateCounter<long>("factorystream.ingest.line.refused", "{line}", "Lines that were refused, by reason.");
        unacknowledged = meter.CreateCounter<long>(
            "factorystream.ingest.unacknowledged",
            "{reading}",
            "Well-formed readings that Kafka did not acknowledge; their senders were told."
        );
        messageReadings = meter.CreateHistogram<int>("factorystream.ingest.message.reading.count", "{reading}", "Readings of a message.");
        acknowledgement = meter.CreateHistogram<double>(
            "factorystream.ingest.acknowledgement.duration",
            "s",
            "Time from handing a message to the client library to its acknowledgement."
        );
        sourceConnections = meter.CreateCounter<long>(
            "factorystream.ingest.source.connection.opened",
            "{connection}",
            "Connections made to pull sources."
        );
        streamMissed = meter.CreateCounter<long>(
            "factorystream.ingest.stream.missed",
            "{reading}",
            "Readings that slow clients of GET /stream missed."
        );
        streamClients = meter.CreateUpDownCounter<int>("factorystream.ingest.stream.client.active", "{client}", "Clients of GET /stream.");
    }

    public void Acknowledged(int readings, TimeSpan duration)
    {
        accepted.Add(readings);
        messageReadings.Record(readings);
        acknowledgement.Record(duration.TotalSeconds);
    }

    public void Unacknowledged(int readings) => unacknowledged.Add(readings);

    public void Refused(Verdict reason) => refused.Add(1, ReasonTags[(int)reason]);

    public void SourceConnected() => sourceConnections.Add(1);

    public void StreamMissed(int readings) => streamMissed.Add(readings);

    public void StreamClients(int change) => streamClients.Add(change);

    public void ObserveBacklog(Func<long> pendingBytes, Func<long> readings, Func<long> bytes, Func<long> unknownReadings)
    {
        meter.CreateObservableGauge("factorystream.ingest.pending", pendingBytes, "By", "What waits for Kafka's acknowledgement.");
        meter.CreateObservableGauge("factorystream.ingest.backlog", readings, "{reading}", "Readings accepted and not known to be stored.");
        meter.CreateObservableGauge("factorystream.ingest.backlog.size", bytes, "By", "The size of these.");
        meter.CreateObservableGauge(
            "factorystream.ingest.backlog.unknown",
            unknownReadings,
            "{reading}",
            "Of these, the readings of factories without a key."
        );
    }

    public void ObserveSources(Func<IEnumerable<(string Name, bool IsConnected)>> sources) =>
        meter.CreateObservableGauge(
            "factorystream.ingest.source.connected",
            () =>
                sources()
                    .Select(source => new Measurement<int>(
                        source.IsConnected ? 1 : 0,
                        new KeyValuePair<string, object?>("source", source.Name)
                    )),
            "{connection}",
            "1 while a source is connected, else 0, by source."
        );

    public void Dispose() => meter.Dispose();
}
