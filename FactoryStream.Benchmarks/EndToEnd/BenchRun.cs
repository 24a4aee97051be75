using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Load;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>One run: sign, limits, warm up, send, wait for the last commit, report.</summary>
internal sealed class BenchRun(BenchOptions options, TextWriter output, TextWriter error, TimeProvider time)
{
    // A compiler that has nothing to run does not warm up: the warm-up's readings must last as long as it does.
    private const int WarmUpReadingsPerSecond = 20_000,
        BatchedWarmUpReadingsPerSecond = 100_000;

    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(60),
        SampleMemoryEvery = TimeSpan.FromSeconds(5);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            throw new UsageException("CPU and memory are read from /proc, which only Linux has.");
        var before = options.Compare is { } file ? ReadEarlier(file) : null;
#if DEBUG
        await error.WriteLineAsync(
            "warning: this is a Debug build, and so are the services: its figures mean nothing. Run with -c Release."
        );
#endif
        Directory.CreateDirectory(CorpusCache.DefaultFolder);
        var cache = new CorpusCache(CorpusCache.DefaultFolder, error, time);
        var corpus = await cache.GetAsync(
            options,
            CorpusCache.MeasuredPrefix,
            options.WantedReadings,
            options.Readings is not null,
            cancellationToken
        );
        var warmUp =
            options.WarmUpSeconds > 0
                ? await cache.GetAsync(
                    options,
                    CorpusCache.WarmUpPrefix,
                    (long)
                        Math.Ceiling(
                            options.WarmUpSeconds * (options.Batch > 1 ? BatchedWarmUpReadingsPerSecond : WarmUpReadingsPerSecond)
                        ),
                    false,
                    cancellationToken
                )
                : null;

        await SayAsync("Measuring openssl speed");
        var verifies = options.HasLimits ? Limits.OpenSsl() : 0;
        await SayAsync("Starting the system");
        await using var system = await SystemUnderLoad.StartAsync(options, cancellationToken);
        LimitRates? limits = null;
        if (options.HasLimits)
        {
            using var filled = options.HasColdMemory ? null : await FreshMemory.FillAsync(SayAsync, cancellationToken);
            await SayAsync("Measuring bare COPY and bare Kafka");
            limits = new LimitRates(
                verifies,
                await Limits.CopyAsync(system, corpus, cancellationToken),
                await Limits.KafkaAsync(system, corpus, options.Batch, !options.IsApacheKafka, cancellationToken)
            );
        }
        if (options.IsAggregatorAlone)
        {
            using var filled = options.HasColdMemory ? null : await FreshMemory.FillAsync(SayAsync, cancellationToken);
            return await FinishAsync(
                await new AggregatorStage(options, system, time, SayAsync).MeasureAsync(
                    warmUp,
                    corpus,
                    cache.Keys.Path,
                    limits,
                    cancellationToken
                ),
                before
            );
        }
        if (warmUp is not null)
        {
            await SayAsync("Warming up");
            using var sender = Sender.Start(system, warmUp, cache.Keys.Path, options, 0, options.WarmUpSeconds);
            var sent = await sender.ReportAsync(cancellationToken);
            var ledger = new Ledger(system, CorpusCache.WarmUpPrefix, time);
            if (!await ledger.SettleAsync(sent.Acknowledged, SettleWithin, cancellationToken))
                throw new UsageException(
                    $"{ledger.Accepted} of {sent.Acknowledged} readings of the warm-up are committed, and no more come."
                );
        }

        using var memory = options.HasColdMemory ? null : await FreshMemory.FillAsync(SayAsync, cancellationToken);
        return await FinishAsync(await MeasureAsync(system, corpus, cache.Keys.Path, limits, cancellationToken), before);
    }

    private async Task<int> FinishAsync(BenchReport report, BenchReport? before)
    {
        Print(report, before);
        if (options.Out is { } target)
            report.Write(target);
        if (report.Failure is not null)
            await error.WriteLineAsync($"error: {report.Failure}");
        return report.Failure is null ? 0 : 1;
    }

    private async Task<BenchReport> MeasureAsync(
        SystemUnderLoad system,
        string corpus,
        string keys,
        LimitRates? limits,
        CancellationToken cancellationToken
    )
    {
        var usage = new UsageMeter(await system.ProcessesAsync(cancellationToken));
        var ledger = new Ledger(system, CorpusCache.MeasuredPrefix, time);
        // With a rate every look tells of single readings, so it must be close to the last.
        var lookEvery = TimeSpan.FromMilliseconds(options.Rate > 0 ? 10 : 100);
        // An exact number is sent whole, however long it takes; so is what a rate was given for.
        double? stopAfter = options.Readings is null ? options.Seconds : null;

        var messagesBefore = await ledger.MessagesAsync(cancellationToken);
        var bytesBefore = await BytesByHop.ReadAsync(system, cancellationToken);
        usage.Start();
        usage.SampleMemory();
        using var sender = Sender.Start(system, corpus, keys, options, options.Rate, stopAfter);
        var sampled = time.GetTimestamp();
        while (!sender.HasEnded)
        {
            await ledger.LookAsync(cancellationToken);
            if (time.GetElapsedTime(sampled) > SampleMemoryEvery)
            {
                sampled = time.GetTimestamp();
                usage.SampleMemory();
            }
            await Task.Delay(lookEvery, time, cancellationToken);
        }
        var load = await sender.ReportAsync(cancellationToken);
        var isSettled = await ledger.SettleAsync(load.Acknowledged, SettleWithin, cancellationToken);
        var (processes, others, idle, stolen) = usage.Stop();
        if (limits is not null)
        {
            await SayAsync("Measuring openssl speed again");
            limits = limits with { VerifiesPerSecondAfter = Limits.OpenSsl() };
        }

        var seconds = (ledger.LastChange - load.StartedAt).TotalSeconds;
        var senderCpu = load.SenderCpuMicrosecondsPerReading * load.Acknowledged / 1e6;
        processes = [.. processes, new ProcessUsage("sender", senderCpu, 0)];
        var failure =
            load.Failure
            ?? (
                !isSettled ? $"{ledger.Accepted} of {load.Acknowledged} acknowledged readings are committed, and no more come."
                : ledger.Stored != load.Acknowledged
                    ? $"{ledger.Stored} of {load.Acknowledged} acknowledged readings are stored; the others are duplicates or rejected."
                : null
            );
        var rows = Rows(load, ledger, limits, processes, seconds);
        if (options.Rate > 0)
        {
            var (fromMeasured, fromDue) = new CommitTimes(
                load.Corpus,
                options.Rate,
                await ledger.PartitionsAsync(cancellationToken)
            ).Compute(load.StartedAt, ledger.Observations);
            rows.InsertRange(
                rows.FindIndex(row => row.Name.StartsWith("CPU ", StringComparison.Ordinal) && row.Goal is null),
                [
                    new BenchRow("measured to committed p50", fromMeasured.Percentile(0.5).TotalMilliseconds, "ms"),
                    new BenchRow(
                        "measured to committed p99",
                        fromMeasured.Percentile(0.99).TotalMilliseconds,
                        "ms",
                        "< 500 at half the rate"
                    ),
                    new BenchRow("POST due to committed p50", fromDue.Percentile(0.5).TotalMilliseconds, "ms"),
                    new BenchRow("POST due to committed p99", fromDue.Percentile(0.99).TotalMilliseconds, "ms"),
                ]
            );
        }
        var messages = await ledger.MessagesAsync(cancellationToken);
        rows.Add(
            new BenchRow(
                "readings a message, readings.signed",
                (double)ledger.Accepted / Math.Max(1, messages.Signed - messagesBefore.Signed),
                ""
            )
        );
        rows.Add(
            new BenchRow(
                "readings a message, readings.verified",
                (double)ledger.Accepted / Math.Max(1, messages.Verified - messagesBefore.Verified),
                ""
            )
        );
        rows.Add(new BenchRow("partitions of each topic", await ledger.PartitionsAsync(cancellationToken), ""));
        rows.Add(new BenchRow("bytes, HTTP body", (double)load.CorpusBytes / load.Corpus.Readings, "a reading"));
        rows.AddRange((await BytesByHop.ReadAsync(system, cancellationToken)).RowsSince(bytesBefore, ledger.Stored));
        // The sender's own start is part of what other processes did.
        rows.Add(new BenchRow("cores idle", idle / seconds, "cores"));
        rows.Add(new BenchRow("cores of other processes", Math.Max(0, others - senderCpu) / seconds, "cores", "0"));
        rows.Add(new BenchRow("cores stolen by other machines", stolen / seconds, "cores", "0"));
        return new BenchReport(
            time.GetUtcNow().UtcDateTime,
            BenchReport.ThisCommit,
            MachineNote.OfThis(),
            options,
            rows,
            processes,
            load,
            ledger.BySecond(load.StartedAt),
            failure
        );
    }

    private static List<BenchRow> Rows(
        LoadReport load,
        Ledger ledger,
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

    private void Print(BenchReport report, BenchReport? before)
    {
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

    private static BenchReport ReadEarlier(string file)
    {
        try
        {
            return BenchReport.Read(file) ?? throw new System.Text.Json.JsonException("it is null");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Text.Json.JsonException)
        {
            throw new UsageException($"{file} is no earlier result: {exception.Message}", exception);
        }
    }

    private Task SayAsync(string what) => error.WriteLineAsync($"{what} ...");
}

/// <summary>What the database's ledger says of the factories of one prefix, look by look.</summary>
internal sealed class Ledger(SystemUnderLoad system, string prefix, TimeProvider time)
{
    private readonly List<CommitObservation> observations = [];
    private readonly List<(DateTime At, long Stored)> totals = [];
    private readonly Dictionary<(int, string), long> known = [];

    public long Accepted { get; private set; }

    public long Stored { get; private set; }

    /// <summary>When a look found more than the one before.</summary>
    public DateTime LastChange { get; private set; }

    public IReadOnlyList<CommitObservation> Observations => observations;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand(
            "SELECT partition, factory_id, accepted, stored FROM factory.ledger WHERE factory_id LIKE $1"
        );
        command.Parameters.AddWithValue(prefix + "%");
        long accepted = 0,
            stored = 0;
        var more = new List<(int Partition, string FactoryId, long Accepted)>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                accepted += reader.GetInt64(2);
                stored += reader.GetInt64(3);
                more.Add((reader.GetInt32(0), reader.GetString(1), reader.GetInt64(2)));
            }
        }
        // After the answer, so that a time to the commit is never too short.
        var now = time.GetUtcNow().UtcDateTime;
        if (accepted != Accepted)
            LastChange = now;
        foreach (var (partition, factoryId, count) in more)
        {
            if (known.GetValueOrDefault((partition, factoryId)) == count)
                continue;
            known[(partition, factoryId)] = count;
            observations.Add(new CommitObservation(now, partition, factoryId, count));
        }
        (Accepted, Stored) = (accepted, stored);
        totals.Add((now, stored));
    }

    /// <summary>Waits until so many are settled; false when nothing more came for a while.</summary>
    public async Task<bool> SettleAsync(long readings, TimeSpan patience, CancellationToken cancellationToken)
    {
        var progressed = time.GetTimestamp();
        while (true)
        {
            var before = Accepted;
            await LookAsync(cancellationToken);
            if (Accepted >= readings)
                return true;
            if (Accepted != before)
                progressed = time.GetTimestamp();
            if (time.GetElapsedTime(progressed) > patience)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken);
        }
    }

    /// <summary>Stored at each whole second after a moment.</summary>
    public IReadOnlyList<long> BySecond(DateTime start)
    {
        var bySecond = new List<long>();
        foreach (var (at, stored) in totals)
        {
            var second = (int)(at - start).TotalSeconds;
            while (second >= 0 && bySecond.Count <= second)
                bySecond.Add(0);
            if (second >= 0)
                bySecond[second] = stored;
        }
        for (var second = 1; second < bySecond.Count; second++)
            bySecond[second] = Math.Max(bySecond[second], bySecond[second - 1]);
        return bySecond;
    }

    /// <summary>Messages of both topics that the checkpoints have behind them.</summary>
    public async Task<(long Signed, long Verified)> MessagesAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand(
            """
            SELECT coalesce(sum(source_offset + 1), 0)::bigint, coalesce(sum(next_offset), 0)::bigint
            FROM factory.checkpoints WHERE topic = $1
            """
        );
        command.Parameters.AddWithValue(Topics.Verified);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    public async Task<int> PartitionsAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand("SELECT count(*) FROM factory.checkpoints WHERE topic = $1");
        command.Parameters.AddWithValue(Topics.Verified);
        return (int)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
