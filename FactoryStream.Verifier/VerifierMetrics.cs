using System.Diagnostics;
using System.Diagnostics.Metrics;
using FactoryStream.Contracts;
using FactoryStream.Signatures;

namespace FactoryStream.Verifier;

/// <summary>What the Verifier measures of itself.</summary>
internal sealed class VerifierMetrics : IDisposable
{
    public const string Name = "FactoryStream.Verifier";

    /// <summary>The spans of what was polled and of what was sent.</summary>
    public static readonly ActivitySource Source = new(Name);

    private static readonly KeyValuePair<string, object?>[] VerdictTags =
    [
        .. Enum.GetValues<Verdict>().Select(verdict => new KeyValuePair<string, object?>("verdict", verdict.ToName())),
    ];

    private readonly Meter meter;
    private readonly Counter<long> verdicts;
    private readonly Counter<long> messages;
    private readonly Histogram<int> polledLines;
    private readonly Histogram<double> checkDuration;
    private readonly Counter<long> keyLoads;
    private long inFlightBytes;
    private long lag;
    private int keys;

    public VerifierMetrics(IMeterFactory factory, SignatureVerifier signatures)
    {
        meter = factory.Create(Name);
        verdicts = meter.CreateCounter<long>("factorystream.verifier.verdicts", "{reading}", "Readings verified, by verdict");
        messages = meter.CreateCounter<long>("factorystream.verifier.messages", "{message}", "Messages of readings.signed answered");
        Answers = meter.CreateCounter<long>("factorystream.verifier.answers", "{message}", "Messages written to readings.verified");
        polledLines = meter.CreateHistogram<int>("factorystream.verifier.polled.lines", "{line}", "Lines that were checked at once");
        checkDuration = meter.CreateHistogram<double>("factorystream.verifier.check.duration", "s", "Time to parse and check these");
        keyLoads = meter.CreateCounter<long>(
            "factorystream.verifier.key_loads",
            "{load}",
            "How often the signing keys were read from the database"
        );
        meter.CreateObservableCounter(
            "factorystream.verifier.checks",
            () => Checks(signatures.Statistics),
            "{signature}",
            "Signatures checked, by backend"
        );
        meter.CreateObservableCounter(
            "factorystream.verifier.rechecks",
            () => signatures.Statistics.Rechecks,
            "{signature}",
            "Answers of a vectorised backend that were checked a second way"
        );
        meter.CreateObservableCounter(
            "factorystream.verifier.disagreements",
            () => signatures.Statistics.Disagreements,
            "{signature}",
            "Of these, the ones that came out differently; anything but 0 is a fault"
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.backends",
            () => Backends(signatures),
            "{backend}",
            "The backends that this machine has for checking signatures: 1 in use, 0 turned off. The first that is 1, of avx512, avx2, "
                + "openssl and managed, gets full lanes of the usual keys"
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.prepared_keys",
            () => signatures.PreparedKeys,
            "{key}",
            "Keys whose constants are kept for a vectorised backend"
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.in_flight",
            () => Interlocked.Read(ref inFlightBytes),
            "By",
            "Answers that Kafka has not acknowledged"
        );
        meter.CreateObservableGauge(
            "factorystream.verifier.lag",
            () => Interlocked.Read(ref lag),
            "{message}",
            "Messages of readings.signed in this replica's partitions that are not answered"
        );
        meter.CreateObservableGauge("factorystream.verifier.keys", () => Volatile.Read(ref keys), "{key}", "Signing keys known");
    }

    public Counter<long> Answers { get; }

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
        messages.Add(messageCount);
        polledLines.Record(lineCount);
        checkDuration.Record(duration.TotalSeconds);
    }

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
