using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Verification;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// Takes signed readings in, has them verified on all cores, as many as one poll brings, and writes the verdicts. One thread does it all
/// but the checking, so that order needs no locks: the next are taken in and checked while Kafka acknowledges the verdicts on the last.
/// </summary>
internal sealed class VerifierWorker(
    SignedConsumer consumer,
    MessageBytes polledBytes,
    PartitionAssignment assignment,
    Takeover takeover,
    VerdictWriter writer,
    Deliveries deliveries,
    KeyRing keys,
    SignatureVerifier signatures,
    IOptions<VerifierOptions> options,
    TimeProvider time,
    VerifierMetrics metrics,
    VerifierLog log
) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly VerifierOptions options = options.Value;
    private readonly PolledMessages polled = new(polledBytes);
    private readonly PolledSpans spans = new();
    private ParallelVerifier verifier = new([]);
    private bool isPaused;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stoppingToken)
    {
        try
        {
            var threads = options.CheckThreads > 0 ? options.CheckThreads : Environment.ProcessorCount;
            verifier = new ParallelVerifier([
                .. Enumerable
                    .Range(0, threads * 2)
                    .Select(_ => new LineVerifier(
                        signatures,
                        options.MaxClockSkew,
                        options.MinMeasuredAt,
                        options.LateArrivalAfterRevocation
                    )),
            ]);
            log.BackendUsed(signatures.BackendName, threads);
            deliveries.Stopping = stoppingToken;
            consumer.Join();
            try
            {
                while (!stoppingToken.IsCancellationRequested)
                    Step(stoppingToken);
            }
            finally
            {
                consumer.Leave();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What was being verified is not committed and will be delivered again.
        }
    }

    private void Step(CancellationToken stoppingToken)
    {
        deliveries.Drain();
        writer.SendReady(assignment.Owned);
        consumer.StoreOffsets();
        consumer.ReportLag();

        WaitUntil(
            () => deliveries.InFlightBytes < options.MaxInFlightBytes,
            () => log.WaitingForAcknowledgements(deliveries.InFlightBytes),
            stoppingToken
        );
        WaitUntil(() => keys.Age < options.MaxKeyAge, keys.IsLoaded ? log.WaitingForKeys : null, stoppingToken);
        if (!Poll(stoppingToken))
            return;
        WaitUntil(takeover.TryIdentifyTopic, () => log.KafkaTrouble($"the id of {TopicNames.Signed} is not known"), stoppingToken);
        if (takeover.BeginRecall(polled))
            WaitUntil(() => takeover.TryRecall(stoppingToken), explain: null, stoppingToken);
        Process(stoppingToken);
        polled.Reset();
    }

    /// <summary>Takes in what is there, up to the bounds; false when nothing came.</summary>
    private bool Poll(CancellationToken stoppingToken)
    {
        polled.TakeLate();
        // With something to send or acknowledge, do not sleep on it; a revocation meanwhile must not wait long either.
        var timeout = TimeSpan.FromMilliseconds(
            polled.Messages.Count > 0 ? 0
            : writer.HasPending ? 1
            : deliveries.InFlightBytes > 0 ? 5
            : 100
        );
        while (consumer.TryTake(timeout, stoppingToken, out var partition, out var result))
        {
            timeout = TimeSpan.Zero;
            polled.Add(partition, result);
            if (polled.LineCount >= options.MaxPolledLines || polled.ByteCount >= options.MaxPolledBytes)
                break;
        }
        return polled.Messages.Count > 0;
    }

    private void Process(CancellationToken stoppingToken)
    {
        var asOf = time.GetTimestamp();
        spans.Start(polled);
        verifier.Verify(polled.LineSegment, polled.ByteCount, keys.Current);
        // A key may have been enrolled elsewhere just before the reading was sent: nothing is rejected for want of a key
        // but by keys that are newer than the moment at which the reading was in hand.
        if (!keys.IsAsOf(asOf) && ParallelVerifier.TakeBack(polled.Lines))
        {
            WaitUntil(() => keys.RefreshAsync(asOf, stoppingToken).GetAwaiter().GetResult(), log.WaitingForKeys, stoppingToken);
            verifier.Verify(polled.LineSegment, polled.ByteCount, keys.Current);
        }
        metrics.Checked(polled.Messages.Count, polled.LineCount, time.GetElapsedTime(asOf));
        deliveries.Drain();
        writer.Write(polled, spans);
        writer.SendReady(assignment.Owned);
        spans.Stop();
    }

    /// <summary>Waits without leaving the consumer group, so that the other replicas need not wait as well.</summary>
    /// <param name="condition">Checked until it is true.</param>
    /// <param name="explain">Says once why it takes long; null where a start always does.</param>
    /// <param name="stoppingToken">Ends the wait.</param>
    private void WaitUntil(Func<bool> condition, Action? explain, CancellationToken stoppingToken)
    {
        var began = time.GetTimestamp();
        while (!condition())
        {
            stoppingToken.ThrowIfCancellationRequested();
            deliveries.Drain();
            if (time.GetElapsedTime(began) < Patience)
            {
                deliveries.WaitForAcknowledgement(TimeSpan.FromMilliseconds(10));
                continue;
            }
            if (!isPaused)
            {
                isPaused = true;
                explain?.Invoke();
            }
            consumer.Pause();
            if (consumer.TryTake(TimeSpan.FromMilliseconds(100), stoppingToken, out var partition, out var result))
                polled.AddLate(partition, result);
            writer.SendReady(assignment.Owned);
            consumer.StoreOffsets();
        }
        if (isPaused)
        {
            isPaused = false;
            consumer.Resume();
            if (explain is not null)
                log.GoingOn();
        }
    }
}
