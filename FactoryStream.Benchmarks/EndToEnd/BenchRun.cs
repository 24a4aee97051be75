using System.Text.Json;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>One run: sign, limits, warm up, send, wait for the last commit, report.</summary>
internal sealed class BenchRun(BenchOptions options, TextWriter output, TextWriter error, TimeProvider time)
{
    // A compiler that has nothing to run does not warm up: the warm-up's readings must last as long as it does.
    private const int WarmUpReadingsPerSecond = 20_000,
        BatchedWarmUpReadingsPerSecond = 100_000;

    private static readonly TimeSpan CommitWithin = TimeSpan.FromSeconds(60),
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
            var ledger = new LedgerReader(system, CorpusCache.WarmUpPrefix, time);
            if (!await ledger.WaitForCommitAsync(sent.Acknowledged, CommitWithin, cancellationToken))
                throw new UsageException(
                    $"{ledger.Accepted} of {sent.Acknowledged} readings of the warm-up are committed, and no more come."
                );
        }

        using var memory = options.HasColdMemory ? null : await FreshMemory.FillAsync(SayAsync, cancellationToken);
        return await FinishAsync(await MeasureAsync(system, corpus, cache.Keys.Path, limits, cancellationToken), before);
    }

    private async Task<int> FinishAsync(BenchReport report, BenchReport? before)
    {
        BenchSummary.Write(output, report, before);
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
        var ledger = new LedgerReader(system, CorpusCache.MeasuredPrefix, time);
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
        var isCommitted = await ledger.WaitForCommitAsync(load.Acknowledged, CommitWithin, cancellationToken);
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
                !isCommitted ? $"{ledger.Accepted} of {load.Acknowledged} acknowledged readings are committed, and no more come."
                : ledger.Stored != load.Acknowledged
                    ? $"{ledger.Stored} of {load.Acknowledged} acknowledged readings are stored; the others are duplicates or rejected."
                : null
            );
        var rows = BenchRows.Of(load, ledger, limits, processes, seconds);
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

    private static BenchReport ReadEarlier(string file)
    {
        try
        {
            return BenchReport.Read(file) ?? throw new JsonException("it is null");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UsageException($"{file} is no earlier result: {exception.Message}", exception);
        }
    }

    private Task SayAsync(string what) => error.WriteLineAsync($"{what} ...");
}
