namespace FactoryStream.Benchmarks.Load;

/// <summary>What a load found; <c>--out</c> writes it as JSON.</summary>
/// <param name="TargetRate">Readings a second asked for; 0: flat out.</param>
/// <param name="Sent">Readings given to the network at least once.</param>
/// <param name="Acknowledged">Readings that Ingest said are safe.</param>
/// <param name="Rejected">Lines that Ingest refused, by reason.</param>
/// <param name="Unacknowledged">Readings without an answer when the load gave up.</param>
/// <param name="RepeatedPosts">POSTs repeated because of 429, 503 or no answer.</param>
/// <param name="Posts">POSTs, repetitions not counted.</param>
/// <param name="Seconds">From the first POST to the last answer.</param>
/// <param name="Rate">Acknowledged readings a second.</param>
/// <param name="Ack">Time to the answer, weighted by readings: from when the POST was due (with a rate) or was first sent (flat out),
/// repetitions included.</param>
/// <param name="SenderCpuMicrosecondsPerReading">CPU time of this process while it sent, for each acknowledged reading.</param>
/// <param name="Connections">Connections to Ingest.</param>
/// <param name="LinesPerPost">Readings of a POST.</param>
/// <param name="Corpus">What was sent.</param>
/// <param name="CorpusBytes">Its size.</param>
/// <param name="StartedAt">When the first POST was sent, UTC.</param>
/// <param name="Failure">Why some readings have no answer; null: all have.</param>
internal sealed record LoadReport(
    double TargetRate,
    long Sent,
    long Acknowledged,
    IReadOnlyDictionary<string, long> Rejected,
    long Unacknowledged,
    long RepeatedPosts,
    long Posts,
    double Seconds,
    double Rate,
    AckTimes Ack,
    double SenderCpuMicrosecondsPerReading,
    int Connections,
    int LinesPerPost,
    CorpusPlan Corpus,
    long CorpusBytes,
    DateTime StartedAt,
    string? Failure
);

/// <summary>In milliseconds.</summary>
internal sealed record AckTimes(double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs, double MeanMs)
{
    public static AckTimes From(LatencyHistogram histogram) =>
        new(
            Ms(histogram.Percentile(0.5)),
            Ms(histogram.Percentile(0.9)),
            Ms(histogram.Percentile(0.99)),
            Ms(histogram.Percentile(0.999)),
            Ms(histogram.Max),
            Ms(histogram.Mean)
        );

    private static double Ms(TimeSpan duration) => Math.Round(duration.TotalMilliseconds, 3);
}
