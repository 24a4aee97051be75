using System.Diagnostics.Metrics;
using FactoryStream.Contracts;
using FactoryStream.Signatures;

namespace FactoryStream.Verifier;

/// <summary>The meter <c>FactoryStream.Verifier</c>.</summary>
internal sealed class VerifierMetrics : IDisposable
{
    public const string MeterName = "FactoryStream.Verifier";

    private static readonly KeyValuePair<string, object?>[] VerdictTags =
        [.. Enum.GetValues<Verdict>().Select(verdict => new KeyValuePair<string, object?>("verdict", verdict.ToName()))];

    private readonly Meter meter;
    private readonly Counter<long> verdicts;
    private readonly Counter<long> messages;
    private readonly Counter<long> answers;
    private readonly Histogram<int> batchLines;
    private readonly Histogram<double> checkDuration;
    private readonly Counter<long> keyLoads;
    private long inFlightBytes;
    private long lag;
    private int keys;

    public VerifierMetrics(IMeterFactory meters, SignatureVerifier signatures)
    {
        meter = meters.Create(MeterName);
        verdicts = meter.CreateCounter<long>("factorystream.verifier.verdicts", "{reading}", "Readings judged, by verdict.");
        messages = meter.CreateCounter<long>("factorystream.verifier.messages", "{message}", "Messages of readings.signed answered.");
        answers = meter.CreateCounter<long>("factorystream.verifier.answers", "{message}", "Messages written to readings.verified.");
        batchLines = meter.CreateHistogram<int>("factorystream.verifier.batch.lines", "{reading}", "Readings that were checked at once.");
        checkDuration = meter.CreateHistogram<double>("factorystream.verifier.check.duration", "s", "Time to parse and check a batch.");
        keyLoads = meter.CreateCounter<long>("factorystream.verifier.key_loads", "{load}", "How often the signing keys were read from the database.");
        meter.CreateObservableCounter("factorystream.verifier.checks", () => Checks(signatures.Statistics), "{signature}", "Signatures checked, by backend.");
        meter.CreateObservableCounter("factorystream.verifier.rechecks", () => signatures.Statistics.Rechecks, "{signature}", "Answers of a vectorised backend that were checked a second way.");
        meter.CreateObservableCounter("factorystream.verifier.disagreements", () => signatures.Statistics.Disagreements, "{signature}", "Of these, the ones that came out differently; anything but 0 is a fault.");
        meter.CreateObservableGauge("factorystream.verifier.backends", () => Backends(signatures), "{backend}", "The backends that this machine has for checking signatures: 1 in use, 0 turned off. The first that is 1, of avx512, avx2, openssl and managed, gets full batches of the usual keys.");
        meter.CreateObservableGauge("factorystream.verifier.prepared_keys", () => signatures.PreparedKeys, "{key}", "Keys whose constants are kept for a vectorised backend.");
        meter.CreateObservableGauge("factorystream.verifier.in_flight", () => Interlocked.Read(ref inFlightBytes), "By", "Answers that Kafka has not acknowledged.");
        meter.CreateObservableGauge("factorystream.verifier.lag", () => Interlocked.Read(ref lag), "{message}", "Messages of readings.signed in this replica's partitions that are not answered.");
        meter.CreateObservableGauge("factorystream.verifier.keys", () => Volatile.Read(ref keys), "{key}", "Signing keys known.");
    }

    public void Judged(ReadOnlySpan<long> byVerdict)
    {
        for (var verdict = 0; verdict < byVerdict.Length; verdict++)
        {
            if (byVerdict[verdict] > 0)
                verdicts.Add(byVerdict[verdict], VerdictTags[verdict]);
        }
    }

    public void Checked(int messageCount, int lines, TimeSpan duration)
    {
        messages.Add(messageCount);
        batchLines.Record(lines);
        checkDuration.Record(duration.TotalSeconds);
    }

    public void Answered() => answers.Add(1);

    public void InFlight(long bytes) => Interlocked.Exchange(ref inFlightBytes, bytes);

    public void Lag(long messageCount) => Interlocked.Exchange(ref lag, messageCount);

    public void KeysLoaded(int count)
    {
        Volatile.Write(ref keys, count);
        keyLoads.Add(1);
    }

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<int>> Backends(SignatureVerifier signatures) =>
        signatures.Backends.Select(backend => new Measurement<int>(backend.Value == SignatureVerifier.On ? 1 : 0, new KeyValuePair<string, object?>("backend", backend.Key)));

    private static IEnumerable<Measurement<long>> Checks(SignatureVerifierStatistics statistics) =>
    [
        new(statistics.ByManaged, new KeyValuePair<string, object?>("backend", "managed")),
        new(statistics.ByOpenSsl, new KeyValuePair<string, object?>("backend", "openssl")),
        new(statistics.ByAvx2, new KeyValuePair<string, object?>("backend", "avx2")),
        new(statistics.ByAvx512, new KeyValuePair<string, object?>("backend", "avx512")),
    ];
}
