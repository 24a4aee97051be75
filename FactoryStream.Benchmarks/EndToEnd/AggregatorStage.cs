using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Contracts;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>
/// Aggregator and PostgreSQL alone: while the Aggregator is stopped everything is sent and verified, then it is started and has nothing to
/// wait for. The first readings that it commits, as many as the warm-up has, give its compilers time; what it commits from then on is
/// measured.
/// </summary>
internal sealed class AggregatorStage(BenchOptions options, SystemUnderLoad system, TimeProvider time, Func<string, Task> say)
{
    public const string MeasuredSeconds = "measured, commit to commit";

    private const string Aggregator = "aggregator";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60),
        LookEvery = TimeSpan.FromMilliseconds(20),
        SampleMemoryEvery = TimeSpan.FromSeconds(5),
        RequestTimeout = TimeSpan.FromSeconds(10);

    /// <param name="warmUp">Sent first, whole; null: nothing.</param>
    /// <param name="corpus">Sent then.</param>
    /// <param name="keys">The signers'.</param>
    /// <param name="limits">Of this machine, where they were measured.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<BenchReport> MeasureAsync(
        string? warmUp,
        string corpus,
        string keys,
        LimitRates? limits,
        CancellationToken cancellationToken
    )
    {
        await say("Stopping the Aggregator");
        await system.SwitchAsync(Aggregator, false, cancellationToken);
        await say("Filling readings.verified");
        var warm = warmUp is null ? 0 : (await SendAsync(warmUp, null)).Acknowledged;
        var load = await SendAsync(corpus, options.Readings is null ? options.Seconds : null);
        await VerifiedAsync(cancellationToken);

        await say("Starting the Aggregator");
        var ledger = new LedgerReader(system, "", time);
        await ledger.LookAsync(cancellationToken);
        var total = ledger.Accepted + warm + load.Acknowledged;
        var bytesBefore = await BytesByHop.ReadAsync(system, cancellationToken);
        await system.SwitchAsync(Aggregator, true, cancellationToken);
        var usage = new UsageMeter(await system.ProcessesAsync(cancellationToken));
        var (before, firstCommit) = (ledger.Accepted, default(DateTime));
        await UntilAsync(() => ledger.Accepted > before);
        firstCommit = ledger.LastChange;
        await UntilAsync(() => ledger.Accepted >= before + Math.Max(1, warm));
        if (ledger.Accepted >= total)
            throw new UsageException("All was committed before the warm-up was over: send more (--seconds, --readings).");

        usage.Start();
        var (begin, stored, accepted) = (ledger.LastChange, ledger.Stored, ledger.Accepted);
        var sampled = time.GetTimestamp();
        usage.SampleMemory();
        var isCommitted = await UntilAsync(() =>
        {
            if (time.GetElapsedTime(sampled) > SampleMemoryEvery)
            {
                sampled = time.GetTimestamp();
                usage.SampleMemory();
            }
            return ledger.Accepted >= total;
        });
        var (processes, others, idle, stolen) = usage.Stop();
        var seconds = (ledger.LastChange - begin).TotalSeconds;
        var readings = ledger.Stored - stored;

        var rows = new List<BenchRow>();
        if (limits is not null)
            rows.Add(new BenchRow("rate / bare COPY", readings / seconds / limits.CopyRowsPerSecond, "", ">= 0.5"));
        rows.Add(
            new BenchRow(
                "CPU of aggregator and postgres",
                processes.Where(process => IsOfStage(process.Name)).Sum(process => process.CpuSeconds) * 1e6 / Math.Max(1, readings),
                "us a reading"
            )
        );
        rows.Add(new BenchRow("rate", readings / seconds, "readings/s"));
        rows.Add(new BenchRow("committed", readings, "readings"));
        rows.Add(new BenchRow(MeasuredSeconds, seconds, "s"));
        rows.Add(
            new BenchRow(
                "rate from the first commit on, compilers included",
                (ledger.Accepted - before) / (ledger.LastChange - firstCommit).TotalSeconds,
                "readings/s"
            )
        );
        rows.AddRange(
            processes.Select(process => new BenchRow(
                $"CPU {process.Name}",
                process.CpuSeconds * 1e6 / Math.Max(1, readings),
                "us a reading"
            ))
        );
        rows.AddRange(
            processes
                .Where(process => IsOfStage(process.Name))
                .Select(process => new BenchRow(
                    $"peak {process.Name}",
                    process.PeakMegabytes,
                    "MB",
                    process.Name == "postgres" ? null : "< 300"
                ))
        );
        if (limits is not null)
            rows.Add(new BenchRow("limit: bare COPY", limits.CopyRowsPerSecond, "rows/s"));
        rows.Add(new BenchRow("partitions of each topic", await ledger.PartitionsAsync(cancellationToken), ""));
        // From before the start, like the readings they are divided by.
        rows.AddRange(
            (await BytesByHop.ReadAsync(system, cancellationToken))
                .RowsSince(bytesBefore, ledger.Accepted - before)
                .Where(row => !row.Name.Contains("log of", StringComparison.Ordinal))
        );
        rows.Add(new BenchRow("cores idle", idle / seconds, "cores"));
        rows.Add(new BenchRow("cores of other processes", others / seconds, "cores", "0"));
        rows.Add(new BenchRow("cores stolen by other machines", stolen / seconds, "cores", "0"));
        var failure =
            load.Failure
            ?? (
                !isCommitted ? $"{ledger.Accepted} of {total} readings are committed, and no more come."
                : readings != total - accepted
                    ? $"{readings} of {total - accepted} readings are stored; the others are duplicates or rejected."
                : null
            );
        return new BenchReport(
            time.GetUtcNow().UtcDateTime,
            BenchReport.ThisCommit,
            MachineNote.OfThis(),
            options,
            rows,
            processes,
            load,
            ledger.BySecond(firstCommit),
            failure
        );

        async Task<LoadReport> SendAsync(string what, double? stopAfter)
        {
            using var sender = Sender.Start(system, what, keys, options, 0, stopAfter);
            return await sender.ReportAsync(cancellationToken);
        }

        // False: nothing more came for a while.
        async Task<bool> UntilAsync(Func<bool> isReached)
        {
            var (progressed, last) = (time.GetTimestamp(), ledger.Accepted);
            while (!isReached())
            {
                await ledger.LookAsync(cancellationToken);
                if (ledger.Accepted != last)
                    (progressed, last) = (time.GetTimestamp(), ledger.Accepted);
                if (time.GetElapsedTime(progressed) > Patience)
                    return false;
                await Task.Delay(LookEvery, time, cancellationToken);
            }
            return true;
        }
    }

    private static bool IsOfStage(string process) => process == "postgres" || process.StartsWith(Aggregator, StringComparison.Ordinal);

    /// <summary>Waits until the Verifiers have committed all that is on readings.signed.</summary>
    private async Task VerifiedAsync(CancellationToken cancellationToken)
    {
        // It never joins the group, only asks for its offsets.
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig
            {
                BootstrapServers = system.Kafka,
                GroupId = TopicNames.VerifierGroup,
                EnableAutoCommit = false,
            }
        ).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = admin
            .GetMetadata(RequestTimeout)
            .Topics.Single(topic => topic.Topic == TopicNames.Signed)
            .Partitions.Select(partition => new TopicPartition(TopicNames.Signed, partition.PartitionId))
            .ToArray();
        var ends = (
            await admin.ListOffsetsAsync(
                partitions.Select(partition => new TopicPartitionOffsetSpec
                {
                    TopicPartition = partition,
                    OffsetSpec = OffsetSpec.Latest(),
                }),
                new ListOffsetsOptions { RequestTimeout = RequestTimeout }
            )
        ).ResultInfos.Sum(end => end.TopicPartitionOffsetError.Offset.Value);
        var (progressed, last) = (time.GetTimestamp(), -1L);
        while (true)
        {
            var committed = consumer
                .Committed(partitions, RequestTimeout)
                .Where(partition => partition.Offset >= 0)
                .Sum(partition => partition.Offset.Value);
            if (committed >= ends)
                return;
            if (committed != last)
                (progressed, last) = (time.GetTimestamp(), committed);
            if (time.GetElapsedTime(progressed) > Patience)
                throw new UsageException($"The Verifier has done {committed} of {ends} messages, and does no more.");
            await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
        }
    }
}
