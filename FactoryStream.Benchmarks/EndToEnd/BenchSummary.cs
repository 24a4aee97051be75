using System.Globalization;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>A result in words: what was asked for, the tables, and what their figures mean.</summary>
internal static class BenchSummary
{
    public static void Write(TextWriter output, BenchReport report, BenchReport? before)
    {
        var options = report.Options;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Machine.Processor}, {report.Machine.Processors} processors; {report.Machine.Runtime}; "
                    + $"{(options.IsApacheKafka ? "Apache Kafka" : "broker in memory (within apphost)")}; {options.Engines} "
                    + $"engines of {options.Factories} factories, {options.ReadingsPerPost} readings a "
                    + $"POST{(options.Batch == 1 ? "" : $" in batches of {options.Batch}{(options.IsMixed ? ", mixed" : "")}")}, "
                    + $"{options.Connections} connections, {(options.Rate > 0 ? $"{options.Rate} readings/s" : "flat out")}; "
                    + $"commit {report.Commit}"
            )
        );
        output.WriteLine();
        BenchTables.WriteRows(output, report.Rows, before?.Rows);
        output.WriteLine();
        BenchTables.WriteProcesses(
            output,
            report.Processes,
            report.Rows.First(row => row.Name is "first POST to last commit" or AggregatorStage.MeasuredSeconds).Value,
            (long)report.Rows.First(row => row.Name == "committed").Value
        );
        output.WriteLine();
        if (options.IsAggregatorAlone)
        {
            output.WriteLine(
                "CPU from the commit after the warm-up's readings to the last commit, children included. Peak: VmHWM, of several "
                    + "processes the sum of their Pss every 5 s."
            );
            return;
        }
        output.WriteLine(
            "CPU from just before the first POST to the last commit, children included; the sender's while it sent. Peak: VmHWM, "
                + "of several processes the sum of their Pss every 5 s."
        );
        output.WriteLine(
            options.Rate > 0
                ? "ack: from when the POST was due. measured: the instant at which a reading was planned for, the last of a POST "
                    + "when that is due; committed: when a look at the ledger, every 10 ms, first found it."
                : "ack: from when the POST was sent. Times to the commit are measured with --rate only: flat out they are the "
                    + "length of the queue."
        );
    }
}
