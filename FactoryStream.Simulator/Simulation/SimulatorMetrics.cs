using System.Diagnostics.Metrics;

namespace FactoryStream.Simulator.Simulation;

internal sealed class SimulatorMetrics
{
    public const string MeterName = "FactoryStream.Simulator";

    private readonly Counter<long> readings,
        repetitions,
        skipped;

    public SimulatorMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        readings = meter.CreateCounter<long>(
            "factorystream.simulator.reading.answered",
            "{reading}",
            "Readings that Ingest has answered, by outcome."
        );
        repetitions = meter.CreateCounter<long>(
            "factorystream.simulator.post.repeated",
            "{post}",
            "POSTs repeated because they had no answer, or 429 or 503."
        );
        skipped = meter.CreateCounter<long>(
            "factorystream.simulator.reading.skipped",
            "{reading}",
            "Readings not taken because the factory's buffer was full."
        );
    }

    public void Accepted(int count) => readings.Add(count, new KeyValuePair<string, object?>("outcome", "accepted"));

    public void Refused(string reason, int count) => readings.Add(count, new KeyValuePair<string, object?>("outcome", reason));

    public void Repeated() => repetitions.Add(1);

    public void Skipped(int count) => skipped.Add(count);
}
