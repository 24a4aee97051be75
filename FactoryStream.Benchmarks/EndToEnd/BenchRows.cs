using FactoryStream.Benchmarks.Load;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>The figures of a run of the whole system: ratios first, then what they are made of.</summary>
internal static class BenchRows
{
    public static List<BenchRow> Of(
        LoadReport load,
        LedgerReader ledger,
        LimitRates? limits,
        IReadOnlyList<ProcessUsage> processes,
        double seconds
    )
    {
        var rate = ledger.Stored / seconds;
        var rows = new List<BenchRow>();
        if (limits is not null)
            rows.Add(new BenchRow("rate / openssl RSA-2048 verify", rate / limits.MeanVerifiesPerSecond, "", ">= 0.60"));
        rows.Add(
            new BenchRow(
                "CPU of all processes",
                processes.Sum(process => process.CpuSeconds) * 1e6 / Math.Max(1, ledger.Stored),
                "us a reading",
                "<= 26"
            )
        );
        if (limits is not null)
        {
            rows.Add(new BenchRow("rate / bare COPY", rate / limits.CopyRowsPerSecond, ""));
            rows.Add(new BenchRow("rate / bare Kafka", rate / limits.KafkaReadingsPerSecond, ""));
        }
        rows.Add(new BenchRow("rate, first POST to last commit", rate, "readings/s"));
        rows.Add(new BenchRow("slowest 10 s / mean", Slowest(ledger.BySecond(load.StartedAt), rate), ""));
        rows.Add(new BenchRow("committed", ledger.Stored, "readings"));
        rows.Add(new BenchRow("first POST to last commit", seconds, "s"));
        rows.Add(new BenchRow("POSTs repeated", load.RepeatedPosts, "POSTs", "0"));
        rows.Add(new BenchRow("ack p50", load.Ack.P50Ms, "ms"));
        rows.Add(new BenchRow("ack p99", load.Ack.P99Ms, "ms", "< 25 at half the rate"));
        rows.AddRange(
            processes.Select(process => new BenchRow(
                $"CPU {process.Name}",
                process.CpuSeconds * 1e6 / Math.Max(1, ledger.Stored),
                "us a reading"
            ))
        );
        rows.AddRange(
            processes
                .Where(process => process.PeakMegabytes > 0)
                .Select(process => new BenchRow(
                    $"peak {process.Name}",
                    process.PeakMegabytes,
                    "MB",
                    process.Name is "postgres" or "kafka" or SystemUnderLoad.AppHostName ? null : "< 300"
                ))
        );
        if (limits is not null)
        {
            rows.Add(new BenchRow("limit: openssl RSA-2048 verify", limits.MeanVerifiesPerSecond, "/s"));
            rows.Add(new BenchRow("  before the run", limits.VerifiesPerSecond, "/s"));
            rows.Add(new BenchRow("  after the run", limits.VerifiesPerSecondAfter, "/s"));
            rows.Add(new BenchRow("limit: bare COPY", limits.CopyRowsPerSecond, "rows/s"));
            rows.Add(new BenchRow("limit: bare Kafka", limits.KafkaReadingsPerSecond, "readings/s"));
        }
        return rows;
    }

    /// <summary>The rate of the ten seconds that were slowest, next to the mean: a run that stalls shows here.</summary>
    private static double Slowest(IReadOnlyList<long> bySecond, double mean)
    {
        // The last second or two only wait for the end.
        var slowest = mean;
        for (var second = 10; second < bySecond.Count - 2; second++)
            slowest = Math.Min(slowest, (bySecond[second] - bySecond[second - 10]) / 10.0);
        return slowest / mean;
    }
}
