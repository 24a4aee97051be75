using System.CommandLine;
using FactoryStream.Contracts;
using FactoryStream.Simulator.Commands;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary><c>bench</c> and its options.</summary>
internal static class BenchCommand
{
    public static Command Create() =>
        Create(
            (options, output, error, cancellationToken) =>
                new BenchRun(options, output, error, TimeProvider.System).RunAsync(cancellationToken)
        );

    public static Command Create(Func<BenchOptions, TextWriter, TextWriter, CancellationToken, Task<int>> run)
    {
        var readings = new Option<long?>("--readings")
        {
            Description =
                $"Readings to send [default: what --seconds allow, of {BenchOptions.FlatOutReadingsPerSecond} or --rate a second "
                + "signed ahead]",
            HelpName = "N",
        }.Bounded(1, long.MaxValue);
        var seconds = Number("--seconds", "How long to send", "S", 60.0, 1, 86_400);
        var engines = Number("--engines", "Engines of all factories together", "N", 60, 1, 1_000_000);
        var factories = Number("--factories", "Factories, each with a key of its own; they divide the engines", "N", 10, 1, 9_999);
        var batch = Number(
            "--batch",
            "Readings a signature: more than one are signed together, as a batch of one engine's",
            "N",
            1,
            1,
            ReadingParser.MaxBatchReadings
        );
        var mixed = new Option<bool>("--mixed") { Description = "A batch is of all engines of its factory in turn" };
        var lines = new Option<int?>("--lines")
        {
            Description = "Envelopes of a POST [default: 100; batches of 1000 readings together]",
            HelpName = "N",
        }.Bounded(1, 10_000);
        var connections = Number(
            "--connections",
            "HTTP connections, one POST under way on each; a factory keeps to one",
            "N",
            10,
            1,
            9_999
        );
        var rate = Number(
            "--rate",
            "Readings a second; 0: flat out. With a rate each reading has a planned instant, and measured-to-committed counts from there",
            "R",
            0.0,
            0,
            10_000_000
        );
        var eventRate = Number(
            "--event-rate",
            "Readings a second of event time, all engines together: how fast windows fill and close",
            "R",
            20_000.0,
            0.01,
            10_000_000
        );
        var kafka = new Option<string>("--kafka")
        {
            Description = "The broker: librdkafka's within the AppHost, or Apache Kafka of KAFKA_HOME",
            DefaultValueFactory = _ => "in-memory",
        };
        kafka.AcceptOnlyFromAmong("in-memory", "apache");
        var verifiers = Number("--verifiers", "Replicas of the Verifier", "N", 1, 1, 64);
        var aggregators = Number("--aggregators", "Replicas of the Aggregator", "N", 1, 1, 64);
        var stage = new Option<string>("--stage")
        {
            Description =
                "What is measured: the whole system, or Aggregator and PostgreSQL alone, from readings that all wait on "
                + "readings.verified (needs --kafka apache)",
            DefaultValueFactory = _ => "all",
        };
        stage.AcceptOnlyFromAmong("all", "aggregator");
        var partitions = new Option<int?>("--partitions")
        {
            Description = "Partitions of each topic [default: the AppHost's]",
            HelpName = "N",
        }.Bounded(1, 10_000);
        var warmUp = Number("--warm-up", "Seconds of other readings, flat out, before the measurement begins", "S", 5.0, 0, 600);
        var noLimits = new Option<bool>("--no-limits") { Description = "Do not measure openssl speed, bare COPY and bare Kafka" };
        var coldMemory = new Option<bool>("--cold-memory")
        {
            Description =
                "Do not fill free memory with page cache before the measurement; in a virtual machine its host's first hand-out of "
                + "each page is then measured as well",
        };
        var settings = new Option<string[]>("--set")
        {
            Description = "A further setting of the AppHost, e.g. Verifier:MaxPolledLines=8192; may be repeated",
            HelpName = "KEY=VALUE",
            DefaultValueFactory = _ => [],
        };
        var target = new Option<string?>("--out") { Description = "Write the result as JSON", HelpName = "FILE" };
        var compare = new Option<string?>("--compare") { Description = "Show the change since an earlier result", HelpName = "FILE" };

        var command = new Command(
            "bench",
            "Starts the whole system by the AppHost (without simulator and dashboards), sends readings that were signed ahead, "
                + "waits until the last is committed, and prints one table: "
                + "the rate from POST to commit, CPU and memory of every process, times to the answer and to the commit, next to "
                + "this machine's limits measured just before. "
                + "Readings are signed once and kept in the user's cache folder (0.6 GB and about 130 s on two cores a million). "
                + "Ends with 0 when every reading was acknowledged and stored."
        )
        {
            readings,
            seconds,
            engines,
            factories,
            batch,
            mixed,
            lines,
            connections,
            rate,
            eventRate,
            kafka,
            verifiers,
            aggregators,
            partitions,
            stage,
            warmUp,
            noLimits,
            coldMemory,
            settings,
            target,
            compare,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                run(
                    new BenchOptions(
                        parsed.GetValue(readings),
                        parsed.GetValue(seconds),
                        parsed.GetValue(engines),
                        parsed.GetValue(factories),
                        parsed.GetValue(lines)
                            ?? (
                                parsed.GetValue(batch) == 1
                                    ? 100
                                    : Math.Max(1, BenchOptions.BatchedReadingsPerPost / parsed.GetValue(batch))
                            ),
                        Math.Min(parsed.GetValue(connections), parsed.GetValue(factories)),
                        parsed.GetValue(rate),
                        parsed.GetValue(eventRate),
                        parsed.GetValue(kafka) == "apache",
                        parsed.GetValue(verifiers),
                        parsed.GetValue(partitions),
                        parsed.GetValue(warmUp),
                        !parsed.GetValue(noLimits),
                        parsed.GetValue(settings)!,
                        parsed.GetValue(target),
                        parsed.GetValue(compare),
                        parsed.GetValue(batch),
                        parsed.GetValue(mixed)
                    )
                    {
                        Aggregators = parsed.GetValue(aggregators),
                        HasColdMemory = parsed.GetValue(coldMemory),
                        IsAggregatorAlone = parsed.GetValue(stage) == "aggregator",
                    }.Checked(),
                    parsed.InvocationConfiguration.Output,
                    parsed.InvocationConfiguration.Error,
                    cancellationToken
                )
        );
        return command;
    }

    private static Option<T> Number<T>(string name, string description, string unit, T usual, T least, T most)
        where T : IComparable<T>, IParsable<T> =>
        new Option<T>(name)
        {
            Description = description,
            HelpName = unit,
            DefaultValueFactory = _ => usual,
        }.Bounded(least, most);
}
