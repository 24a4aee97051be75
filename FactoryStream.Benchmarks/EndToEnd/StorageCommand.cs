using System.CommandLine;
using System.Text.Json;
using FactoryStream.Simulator.Commands;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary><c>storage</c> and its options.</summary>
internal static class StorageCommand
{
    public static Command Create()
    {
        var readings = new Option<long>("--readings")
        {
            Description = "Readings to store",
            HelpName = "N",
            DefaultValueFactory = _ => 200_000,
        }.Bounded(1, 1_000_000_000);
        var engines = new Option<int>("--engines")
        {
            Description = "Engines of ten factories",
            HelpName = "N",
            DefaultValueFactory = _ => 60,
        }.Bounded(10, 1_000_000);
        var eventRate = new Option<double?>("--event-rate")
        {
            Description = "Readings a second of event time, all engines together [default: one of each engine]",
            HelpName = "R",
        }.Bounded(0.01, 10_000_000);
        var target = new Option<string?>("--out") { Description = "Write the result as JSON", HelpName = "FILE" };
        var command = new Command(
            "storage",
            "Stores signed readings through the whole system (broker in memory) and prints what each takes: rows and indexes in "
                + "PostgreSQL, dumps, and the archive that FactoryStream.Audit's 'archive' writes, "
                + "which is read back and checked. Readings are signed once and kept, as for 'bench'."
        )
        {
            readings,
            engines,
            eventRate,
            target,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var of = parsed.GetValue(engines) / StorageRun.Factories * StorageRun.Factories;
                var report = await new StorageRun(
                    parsed.GetValue(readings),
                    of,
                    parsed.GetValue(eventRate) ?? of,
                    parsed.InvocationConfiguration.Output,
                    parsed.InvocationConfiguration.Error,
                    TimeProvider.System
                ).MeasureAsync(cancellationToken);
                if (parsed.GetValue(target) is { } file)
                    await File.WriteAllTextAsync(
                        file,
                        JsonSerializer.Serialize(report, BenchJson.Default.StorageReport) + "\n",
                        cancellationToken
                    );
                return 0;
            }
        );
        return command;
    }
}
