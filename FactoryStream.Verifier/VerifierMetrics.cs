using System.Diagnostics.Metrics;
using FactoryStream.Contracts;
using FactoryStream.Signatures;

namespace FactoryStream.Verifier;

/// <summary>The meter <c>FactoryStream.Verifier</c>.</summary>
internal sealed class VerifierMetrics : IDisposable
{
    public const string MeterName = "FactoryStream.Verifier";

    private static readonly KeyValuePair<string, object?>[] VerdictTags =
    [
        .. Enum.GetValues<Verdict>().Select(verdict => new KeyValuePair<string, object?>("verdict", verdict.ToName())),
    ];

    private readonly Meter meter;
    private readonly Counter<long> verdicts;
    private readonly Counter<long> consumedMessages;
    private readonly Counter<long> producedMessages;
    private readonly Histogram<int> polledLines;
    private readonly Histogram<double> checkDuration;
    private readonly Counter<long> keyLoads;
    private long inFlightBytes;
    private long lag;
    private int keys;

    public VerifierMetrics(IMeterFactory factory, SignatureVerifier signatures)
    {
        meter = factory.Create(MeterName);
        verdicts = meter.CreateCounter<long>(
            "factorystream.verifier.reading.verified",
            "{reading}",
            "Readings with a verdict, by verdict."
        );
        consumedMessages = meter.CreateCounter<long>(
            "factorystream.verifier.message.consumed",
            "{message}",
            "Messages of readings.signed that were verified."
        );
        producedMessages = meter.CreateCounter<long>(
            "factorystream.verifier.message.produced",
            "{message}",
            "Messages written to readings.verified."
        );
        polledLines = meter.CreateHistogram<int>(
            "factorystream.verifier.polled.line.count",
            "{line}",
            "Lines that were verified together."
        );
        checkDuration = meter.CreateHistogram<double>(
            "factorystream.verifier.check.duration",
            "s",
            "Time to parse the lines verified together and to check their signatures."
        );
        keyLoads = meter.CreateCounter<long>(
            "factorystream.verifier.key.load",
            "{load}",
            "Times that the signing keys were read from the database."
        );
        meter.CreateObservableCounter(
            "factorystream.verifier.signature.checked",
            () => Checks(signatures.Statistics),
            "{signature}",
            "Signatures checked, by signature backend."
        );
        meter.CreateObservableCounter(
            "factorystream.verifier.signature.rechecked",
            () => signatures.Statistics.Rechecks,
            "{signature}",
            "Signatures that a vectorised backend had checked and another backend checked again."
        );
        meter.CreateObservableCounter(
            "factorystream.verifier.signature.disagreement",
            () => signatures.Statistics.Disagreements,
            "{signature}",
            "Rechecked signatures of which the two backends differ; anything but 0 is a fault."
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.signature.backend",
            () => Backends(signatures),
            "{backend}",
            "The signature backends of this machine, by backend: 1 in use, 0 turned off. The first that is 1, of avx512, avx2, openssl "
                + "and managed, checks full lanes of the usual keys."
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.key.prepared",
            () => signatures.PreparedKeys,
            "{key}",
            "Keys whose constants are kept for a vectorised signature backend."
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.in_flight.size",
            () => Interlocked.Read(ref inFlightBytes),
            "By",
            "Size of the verdict messages that Kafka has not acknowledged."
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.lag",
            () => Interlocked.Read(ref lag),
            "{message}",
            "Messages of readings.signed in this replica's partitions whose verdicts are not acknowledged."
        );
        meter.CreateObservableGauge("factorystream.verifier.key.count", () => Volatile.Read(ref keys), "{key}", "Signing keys known.");
    }

    public void Verified(ReadOnlySpan<long> readingsByVerdict)
    {
        for (var verdict = 0; verdict < readingsByVerdict.Length; verdict++)
        {
            if (readingsByVerdict[verdict] > 0)
                verdicts.Add(readingsByVerdict[verdict], VerdictTags[verdict]);
        }
    }

    public void Checked(int messageCount, int lineCount, TimeSpan duration)
    {
        consumedMessages.Add(messageCount);
        polledLines.Record(lineCount);
        checkDuration.Record(duration.TotalSeconds);
    }

    public void Produced() => producedMessages.Add(1);

    public void InFlight(long bytes) => Interlocked.Exchange(ref inFlightBytes, bytes);

    public void Lag(long messageCount) => Interlocked.Exchange(ref lag, messageCount);

    public void KeysLoaded(int count)
    {
        Volatile.Write(ref keys, count);
        keyLoads.Add(1);
    }

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<int>> Backends(SignatureVerifier signatures) =>
        signatures.Backends.Select(backend => new Measurement<int>(
            backend.Value == SignatureVerifier.On ? 1 : 0,
            new KeyValuePair<string, object?>("backend", backend.Key)
        ));

    private static IEnumerable<Measurement<long>> Checks(SignatureVerifierStatistics statistics) =>
        [
            new(statistics.ByManaged, new KeyValuePair<string, object?>("backend", "managed")),
            new(statistics.ByOpenSsl, new KeyValuePair<string, object?>("backend", "openssl")),
            new(statistics.ByAvx2, new KeyValuePair<string, object?>("backend", "avx2")),
            new(statistics.ByAvx512, new KeyValuePair<string, object?>("backend", "avx512")),
        ];
}
