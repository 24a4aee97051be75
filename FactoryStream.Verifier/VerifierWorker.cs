using System.Diagnostics;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Messages;
using FactoryStream.Verifier.Verdicts;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier;

/// <summary>
/// Takes signed readings in, has them judged batch by batch on all cores, and answers them. One thread does it all but the checking, so that
/// order needs no locks: the next batch is taken in and checked while Kafka acknowledges the answers to the last.
/// </summary>
internal sealed class VerifierWorker(
    IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer,
    BatchBytes batchBytes,
    AnswerLog answers,
    EarlierAnswersReader earlier,
    KeyRing keys,
    SignatureVerifier signatures,
    TopicIncarnations incarnations,
    IOptions<VerifierOptions> options,
    TimeProvider time,
    VerifierMetrics metrics,
    VerifierLog log) : BackgroundService
{
    // Fewer lines, or fewer bytes of batches, than this are checked sooner than another thread is woken for them.
    private const int MinLinesPerThread = 64, MinBytesPerThread = 64 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly VerifierOptions options = options.Value;
    private readonly SourceBatch batch = new(batchBytes);
    private readonly Dictionary<PartitionAnswers, Activity> spans = [];
    private Judge[] judges = [];
    private bool isPaused;
    private long lastLag;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stoppingToken)
    {
        try
        {
            var threads = options.CheckThreads > 0 ? options.CheckThreads : Environment.ProcessorCount;
            // Two parts a thread: one that was held up by another process leaves its second part to the others.
            judges = [.. Enumerable.Range(0, threads * 2).Select(_ => new Judge(
                signatures, options.MaxClockSkew, options.MinMeasuredAt, options.LateArrivalAfterRevocation))];
            log.Backend(signatures.BackendName, threads);
            answers.Stopping = stoppingToken;
            consumer.Subscribe(Topics.Signed);
            try
            {
                while (!stoppingToken.IsCancellationRequested)
                    Step(stoppingToken);
            }
            finally
            {
                // Gives the partitions up in good order (AnswerLog.Revoke) and leaves the group at once.
                consumer.Close();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What was in hand is not committed and will be delivered again.
        }
    }

    private void Step(CancellationToken stoppingToken)
    {
        answers.Drain();
        answers.SendReady();
        Store();
        ReportLag();

        WaitUntil(() => answers.InFlightBytes < options.MaxInFlightBytes, () => log.WaitingForAcknowledgements(answers.InFlightBytes), stoppingToken);
        WaitUntil(() => keys.Age < options.MaxKeyAge, keys.IsLoaded ? log.WaitingForKeys : null, stoppingToken);
        if (!Collect(stoppingToken))
            return;
        if (answers.MustIdentifyTopic)
            WaitUntil(TryIdentifyTopic, () => log.KafkaTrouble($"the id of {Topics.Signed} is not known"), stoppingToken);
        Recall(stoppingToken);
        Process(stoppingToken);
        batch.Reset();
    }

    /// <summary>Takes in what is there, up to the bounds; false when nothing came.</summary>
    private bool Collect(CancellationToken stoppingToken)
    {
        batch.TakeLate();
        // With something to send or acknowledge, do not sleep on it; a revocation meanwhile must not wait long either.
        var timeout = TimeSpan.FromMilliseconds(batch.Records.Count > 0 ? 0 : answers.HasPending ? 1 : answers.InFlightBytes > 0 ? 5 : 100);
        while (Consume(timeout, stoppingToken) is { } result)
        {
            timeout = TimeSpan.Zero;
            if (answers.Of(result.Partition.Value) is not { } partition)
                continue;
            Note(partition, result.Offset.Value);
            batch.Add(partition, result);
            if (batch.LineCount >= options.MaxBatchLines || batch.ByteCount >= options.MaxBatchBytes)
                break;
        }
        return batch.Records.Count > 0;
    }

    private ConsumeResult<byte[]?, ReadOnlyMemory<byte>>? Consume(TimeSpan timeout, CancellationToken stoppingToken)
    {
        try
        {
            return consumer.Consume(timeout);
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            // The topic is not there yet, or a broker is away: librdkafka goes on trying, so do we.
            log.KafkaTrouble(exception.Error.Reason);
            stoppingToken.WaitHandle.WaitOne(Patience);
            return null;
        }
    }

    private static void Note(PartitionAnswers partition, long offset)
    {
        if (offset <= partition.LastOffset)
            throw new InvalidOperationException($"Partition {partition.Partition} of {Topics.Signed} went back from offset {partition.LastOffset} to {offset}: it is another log. Starting over.");
        partition.LastOffset = offset;
    }

    /// <summary>
    /// Before the first answer to a partition: what did its last owner say? The same line must not be judged twice, for a key may have been
    /// enrolled or revoked since.
    /// </summary>
    private void Recall(CancellationToken stoppingToken)
    {
        var wanted = new Dictionary<PartitionAnswers, long>();
        foreach (var record in batch.Records)
        {
            if (!record.Answers.IsRecalled && !record.Answers.IsClosed)
                wanted.TryAdd(record.Answers, record.Offset);
        }
        if (wanted.Count == 0)
            return;
        var offsets = wanted.ToDictionary(entry => entry.Key.Partition, entry => entry.Value);
        Task<Dictionary<int, EarlierAnswers>>? reading = null;
        Dictionary<int, EarlierAnswers> found = [];
        WaitUntil(TryRead, explain: null, stoppingToken);
        foreach (var partition in wanted.Keys)
        {
            partition.Earlier = found[partition.Partition];
            partition.IsRecalled = true;
            if (partition.Earlier.LastOffset >= 0)
                log.Recalled(partition.Partition, offsets[partition.Partition], partition.Earlier.LastOffset);
        }

        bool TryRead()
        {
            reading ??= Task.Run(() => earlier.Read(offsets, answers.SourceTopicId, stoppingToken), stoppingToken);
            if (!reading.IsCompleted)
                return false;
            try
            {
                found = reading.GetAwaiter().GetResult();
                return true;
            }
            catch (KafkaException exception)
            {
                log.KafkaTrouble(exception.Error.Reason);
                reading = null;
                return false;
            }
        }
    }

    private void Process(CancellationToken stoppingToken)
    {
        var asOf = time.GetTimestamp();
        StartSpans();
        Decide();
        // A key may have been enrolled elsewhere just before the reading was sent: nothing is rejected for want of a key
        // but by keys that are newer than the moment at which the reading was in hand.
        if (!keys.IsAsOf(asOf) && Reconsider())
        {
            WaitUntil(() => keys.RefreshAsync(asOf, stoppingToken).GetAwaiter().GetResult(), log.WaitingForKeys, stoppingToken);
            Decide();
        }
        metrics.Checked(batch.Records.Count, batch.LineCount, time.GetElapsedTime(asOf));
        answers.Drain();
        answers.Add(batch, spans);
        StopSpans();
    }

    private void Decide()
    {
        var snapshot = keys.Current;
        var lines = batch.LineSegment;
        var parts = (int)Math.Clamp(Math.Max(lines.Count / MinLinesPerThread, Math.Min(lines.Count, batch.ByteCount / MinBytesPerThread)), 1, judges.Length);
        if (parts == 1)
        {
            judges[0].Decide(lines, snapshot);
            return;
        }
        var size = (lines.Count + parts - 1) / parts;
        Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = judges.Length / 2 }, part =>
        {
            var from = Math.Min(part * size, lines.Count);
            judges[part].Decide(lines.AsSpan(from, Math.Min(size, lines.Count - from)), snapshot);
        });
    }

    /// <summary>Takes back the verdicts that newer keys could change; false when there are none.</summary>
    private bool Reconsider()
    {
        var any = false;
        foreach (ref var line in batch.Lines)
        {
            if (line.Verdict is Verdict.UnknownKey or Verdict.BadSignature || line.IsOfUnknownFactory)
            {
                line.IsDecided = false;
                any = true;
            }
        }
        return any;
    }

    /// <summary>Waits without leaving the consumer group, so that the other replicas need not wait as well.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="explain">Says once why it takes long; null where a start always does.</param>
    /// <param name="stoppingToken">Ends the wait.</param>
    private void WaitUntil(Func<bool> condition, Action? explain, CancellationToken stoppingToken)
    {
        var began = time.GetTimestamp();
        while (!condition())
        {
            stoppingToken.ThrowIfCancellationRequested();
            answers.Drain();
            if (time.GetElapsedTime(began) < Patience)
            {
                answers.WaitForAcknowledgement(TimeSpan.FromMilliseconds(10));
                continue;
            }
            if (!isPaused)
            {
                isPaused = true;
                explain?.Invoke();
            }
            // A rebalance may have brought new partitions, which are not paused.
            consumer.Pause(consumer.Assignment);
            if (Consume(TimeSpan.FromMilliseconds(100), stoppingToken) is { } result && answers.Of(result.Partition.Value) is { } partition)
            {
                Note(partition, result.Offset.Value);
                batch.AddLate(partition, result);
            }
            answers.SendReady();
            Store();
        }
        if (isPaused)
        {
            isPaused = false;
            consumer.Resume(consumer.Assignment);
            if (explain is not null)
                log.GoingOn();
        }
    }

    private bool TryIdentifyTopic()
    {
        try
        {
            answers.IdentifyTopic(incarnations.GetAsync(Topics.Signed).GetAwaiter().GetResult());
            return true;
        }
        catch (KafkaException exception)
        {
            log.KafkaTrouble(exception.Error.Reason);
            return false;
        }
    }

    /// <summary>Hands acknowledged offsets to librdkafka, which commits them in the background.</summary>
    private void Store()
    {
        foreach (var partition in answers.Partitions)
        {
            if (partition.AcknowledgedOffset <= partition.StoredOffset)
                continue;
            consumer.StoreOffset(new TopicPartitionOffset(Topics.Signed, partition.Partition, partition.AcknowledgedOffset));
            partition.StoredOffset = partition.AcknowledgedOffset;
        }
    }

    private void ReportLag()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(lastLag, now) < TimeSpan.FromSeconds(1))
            return;
        lastLag = now;
        var lag = 0L;
        foreach (var partition in answers.Partitions)
        {
            // What librdkafka last heard from the broker; no call is made.
            var high = consumer.GetWatermarkOffsets(new TopicPartition(Topics.Signed, partition.Partition)).High.Value;
            if (partition.AcknowledgedOffset >= 0)
                lag += Math.Max(0, high - partition.AcknowledgedOffset);
        }
        metrics.Lag(lag);
    }

    private void StartSpans()
    {
        foreach (var traced in batch.Records.Where(record => record.IsTraced).GroupBy(record => record.Answers))
        {
            var span = AnswerLog.Traces.StartBatch("process readings.signed", ActivityKind.Consumer, [.. traced.Select(record => record.Trace)]);
            // Each partition's span stands beside the others, not below them.
            Activity.Current = null;
            if (span is null)
                continue;
            span.SetMessaging("process", Topics.Signed, traced.Key.Partition, Topics.VerifierGroup, traced.Count());
            spans.Add(traced.Key, span);
        }
    }

    private void StopSpans()
    {
        foreach (var span in spans.Values)
            span.Stop();
        spans.Clear();
        Activity.Current = null;
    }
}
