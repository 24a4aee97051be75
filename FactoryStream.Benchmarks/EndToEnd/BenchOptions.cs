using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>What a run is asked to do.</summary>
/// <param name="Readings">How many are sent; null: as many as the seconds allow.</param>
/// <param name="Seconds">How long is sent.</param>
/// <param name="Engines">Of all factories together.</param>
/// <param name="Factories">Each has a key of its own.</param>
/// <param name="Lines">Envelopes of a POST.</param>
/// <param name="Connections">HTTP connections, one POST under way on each.</param>
/// <param name="Rate">Readings a second; 0: flat out.</param>
/// <param name="EventRate">Readings a second of event time, all engines together: how fast windows fill.</param>
/// <param name="IsApacheKafka">Apache Kafka of KAFKA_HOME, not the broker in memory.</param>
/// <param name="Verifiers">Replicas.</param>
/// <param name="Partitions">Of each topic; null: the AppHost's.</param>
/// <param name="WarmUpSeconds">Sent before the measurement, so that it does not measure the compiler.</param>
/// <param name="HasLimits">Measure the machine's limits, too.</param>
/// <param name="Settings">Further settings of the AppHost, <c>KEY=VALUE</c>.</param>
/// <param name="Out">Where the result goes as JSON; null: nowhere.</param>
/// <param name="Compare">An earlier result; null: none.</param>
/// <param name="Batch">Readings a signature.</param>
/// <param name="IsMixed">A batch is of all engines of its factory in turn, not of one.</param>
internal sealed record BenchOptions(
    long? Readings,
    double Seconds,
    int Engines,
    int Factories,
    int Lines,
    int Connections,
    double Rate,
    double EventRate,
    bool IsApacheKafka,
    int Verifiers,
    int? Partitions,
    double WarmUpSeconds,
    bool HasLimits,
    IReadOnlyList<string> Settings,
    string? Out,
    string? Compare,
    int Batch = 1,
    bool IsMixed = false
)
{
    /// <summary>
    /// Signed for a run flat out when no other number is given; what no machine this is meant for reaches twice over would be signed in
    /// vain.
    /// </summary>
    public const int FlatOutReadingsPerSecond = 60_000;

    /// <summary>The same of readings in batches.</summary>
    public const int FlatOutBatchedReadingsPerSecond = 150_000;

    /// <summary>A POST of batches holds about so many readings when no other number is given.</summary>
    public const int BatchedReadingsPerPost = 1_000;

    /// <summary>Replicas.</summary>
    public int Aggregators { get; init; } = 1;

    /// <summary>Aggregator and PostgreSQL alone are measured, from a topic that is full before they begin.</summary>
    public bool IsAggregatorAlone { get; init; }

    /// <summary>Memory is left as it is, also where a host gives a page of it only at its first use.</summary>
    public bool HasColdMemory { get; init; }

    /// <summary>Itself, if its parts go together.</summary>
    /// <exception cref="UsageException">They do not.</exception>
    public BenchOptions Checked()
    {
        if (Engines % Factories != 0)
            throw new UsageException($"--factories {Factories} must divide --engines {Engines}.");
        if (IsAggregatorAlone && !IsApacheKafka)
            throw new UsageException(
                "--stage aggregator needs --kafka apache: it begins with all readings waiting on readings.verified, and the broker "
                    + "in memory keeps no more than 5 MB of a partition."
            );
        if (IsAggregatorAlone && Rate > 0)
            throw new UsageException("--stage aggregator drains flat out: --rate is for the whole system.");
        return Settings.FirstOrDefault(setting => setting.IndexOf('=', StringComparison.Ordinal) < 1) is { } wrong
            ? throw new UsageException($"--set {wrong}: KEY=VALUE is needed.")
            : this;
    }

    public int EnginesPerFactory => Engines / Factories;

    public int ReadingsPerPost => Lines * Batch;

    /// <summary>Readings that a corpus must have.</summary>
    public long WantedReadings =>
        Readings
        ?? (long)
            Math.Ceiling(
                (
                    Rate > 0 ? Rate
                    : Batch > 1 ? FlatOutBatchedReadingsPerSecond
                    : FlatOutReadingsPerSecond
                ) * Seconds
            );
}
