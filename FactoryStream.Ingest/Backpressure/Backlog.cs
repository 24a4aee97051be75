using System.Collections.Frozen;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Backpressure;

/// <summary>
/// What is accepted and not known to be stored, and how much of it may be: memory and the in-memory broker's log are bounded.
/// While Kafka cannot be asked, nothing is known to be stored, so it only grows.
/// </summary>
internal sealed class Backlog
{
    private readonly IngestOptions options;
    private readonly IngestLog log;
    private readonly TimeProvider time;
    private long pendingBytes;
    private long bytes;
    private long readings;
    private long foreignBytes;
    private long foreignReadings;
    private long unknownBytes;
    private long unknownReadings;
    private bool wasUnknownFull;
    private volatile FrozenSet<string>? enrolled;
    private bool isKafkaAway;
    private long lastTry;
    private bool wasFull;
    private bool wasNear;
    private bool isNear;
    private long partitionBytes = long.MaxValue;
    private string? refusal;
    private TaskCompletionSource admissionChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Backlog(IOptions<IngestOptions> options, IngestMetrics metrics, IngestLog log, TimeProvider time)
    {
        this.options = options.Value;
        this.log = log;
        this.time = time;
        metrics.ObserveBacklog(() => PendingBytes, () => Readings, () => Bytes, () => UnknownReadings);
    }

    /// <summary>Handed to the client library or gathered for it, and not acknowledged.</summary>
    public long PendingBytes => Volatile.Read(ref pendingBytes);

    /// <summary>Bytes appended and not known to be stored, other producers' included.</summary>
    public long Bytes => Volatile.Read(ref bytes) + Volatile.Read(ref foreignBytes);

    /// <summary>Readings appended and not known to be stored, other producers' included.</summary>
    public long Readings => Volatile.Read(ref readings) + Volatile.Read(ref foreignReadings);

    /// <summary>Of these, the ones of factories without a key.</summary>
    public long UnknownReadings => Volatile.Read(ref unknownReadings);

    /// <summary>Their bytes.</summary>
    public long UnknownBytes => Volatile.Read(ref unknownBytes);

    /// <summary>Kafka did not acknowledge in time and has not answered since.</summary>
    public bool IsKafkaAway => Volatile.Read(ref isKafkaAway);

    /// <summary>Why nothing at all may be appended, and what to do; null: it may.</summary>
    public string? Refusal => Volatile.Read(ref refusal);

    /// <summary>Nothing may be appended for a reason; null: it may again.</summary>
    public void Refuse(string? reason)
    {
        if (Interlocked.Exchange(ref refusal, reason) == reason)
            return;
        if (reason is not null)
            log.Refuses(reason);
        Wake();
    }

    /// <summary>Most bytes of one partition that may be appended and not known to be stored: a share of what Kafka keeps of it.</summary>
    public void BoundPartitions(long most) => Volatile.Write(ref partitionBytes, most);

    /// <summary>
    /// Is Kafka away, and is it not yet time to try again? One request in every <see cref="IngestOptions.RetryAfter"/> is let through to
    /// find out.
    /// </summary>
    public bool TurnsAway()
    {
        if (!IsKafkaAway)
            return false;
        var last = Volatile.Read(ref lastTry);
        return time.GetElapsedTime(last) < options.RetryAfter
            || Interlocked.CompareExchange(ref lastTry, time.GetTimestamp(), last) != last;
    }

    /// <summary>May so many bytes more be appended?</summary>
    /// <param name="more">Bytes of a line.</param>
    /// <param name="ofPartition">Bytes of its partition that are not known to be stored.</param>
    /// <param name="isUnknown">It is of a factory without a key.</param>
    /// <param name="unknownOfPartition">Bytes of its partition that are of such factories and not known to be stored.</param>
    public Admission Check(int more, long ofPartition, bool isUnknown = false, long unknownOfPartition = 0)
    {
        if (Refusal is not null)
            return Admission.PartitionsChanged;
        if (PendingBytes + more > options.MaxPendingBytes)
            return Admission.KafkaSlow;
        if (
            Bytes + more > options.MaxBacklogBytes
            || Readings >= options.MaxBacklogReadings
            || ofPartition + more > options.MaxPartitionBytes
        )
        {
            if (!Interlocked.Exchange(ref wasFull, true))
                log.BacklogFull(Readings, Bytes);
            return Admission.BacklogFull;
        }
        if (ofPartition + more > Volatile.Read(ref partitionBytes))
        {
            Volatile.Write(ref isNear, true);
            if (!Interlocked.Exchange(ref wasNear, true))
                log.RetentionNear(ofPartition);
            return Admission.RetentionNear;
        }
        if (
            isUnknown
            && (
                UnknownBytes + more > options.MaxBacklogBytes * options.UnknownKeyShare
                || UnknownReadings >= options.MaxBacklogReadings * options.UnknownKeyShare
                || unknownOfPartition + more > options.MaxPartitionBytes * options.UnknownKeyShare
            )
        )
        {
            if (!Interlocked.Exchange(ref wasUnknownFull, true))
                log.UnknownShareFull(UnknownReadings, UnknownBytes);
            return Admission.UnknownShareFull;
        }
        return Admission.Admitted;
    }

    /// <summary>The factories that have a key, as the Verifier tells them.</summary>
    public void Learn(IEnumerable<string> factoryIds) => enrolled = factoryIds.ToFrozenSet();

    /// <summary>Whether a factory is known to have no key; while nothing is known, none is.</summary>
    public bool IsUnknown(string factoryId) => enrolled is { } known && !known.Contains(factoryId);

    /// <summary>Lines of factories without a key are on their way, or (negative) are stored or lost.</summary>
    public void AddUnknown(long size, long count)
    {
        Interlocked.Add(ref unknownBytes, size);
        Interlocked.Add(ref unknownReadings, count);
    }

    /// <summary>A line is on its way.</summary>
    public void Add(int more, int count)
    {
        Interlocked.Add(ref pendingBytes, more);
        Interlocked.Add(ref bytes, more);
        Interlocked.Add(ref readings, count);
    }

    /// <summary>Kafka acknowledged it, or will not.</summary>
    public void Complete(int size, int count, bool isSafe, bool isTimeOut)
    {
        var pending = Interlocked.Add(ref pendingBytes, -size);
        if (!isSafe)
            Remove(size, count);
        if (isSafe)
            KafkaAnswers();
        else if (isTimeOut)
            KafkaIsAway();
        // With hysteresis, so that those who wait are not woken for every message.
        if (pending + size > options.MaxPendingBytes / 2 && pending <= options.MaxPendingBytes / 2)
            Wake();
    }

    private void KafkaIsAway()
    {
        Volatile.Write(ref lastTry, time.GetTimestamp());
        if (!Interlocked.Exchange(ref isKafkaAway, true))
            log.KafkaTrouble("it does not acknowledge");
    }

    /// <summary>Kafka gave an answer: it is not away.</summary>
    public void KafkaAnswers()
    {
        if (!IsKafkaAway || !Interlocked.Exchange(ref isKafkaAway, false))
            return;
        log.KafkaBack();
        Wake();
    }

    /// <summary>It is stored, or lost.</summary>
    public void Remove(long size, long count)
    {
        Interlocked.Add(ref bytes, -size);
        Interlocked.Add(ref readings, -count);
    }

    /// <summary>What others than this process have in the log, by the newest look at it.</summary>
    public void Foreign(long size, long count)
    {
        Volatile.Write(ref foreignBytes, size);
        Volatile.Write(ref foreignReadings, count);
    }

    /// <summary>A look at Kafka is done: those who wait for room may try again.</summary>
    public void Looked()
    {
        if (
            Volatile.Read(ref wasFull)
            && Bytes < options.MaxBacklogBytes / 4 * 3
            && Readings < options.MaxBacklogReadings * 3 / 4 + 1
            && Interlocked.Exchange(ref wasFull, false)
        )
            log.BacklogHasRoom();
        // Told once more only after a look in between at which nobody was turned away.
        if (!Interlocked.Exchange(ref isNear, false))
            Volatile.Write(ref wasNear, false);
        // With hysteresis, so that it is not logged for every line.
        if (
            UnknownReadings < options.MaxBacklogReadings * options.UnknownKeyShare / 2
            && UnknownBytes < options.MaxBacklogBytes * options.UnknownKeyShare / 2
        )
            Volatile.Write(ref wasUnknownFull, false);
        Wake();
    }

    /// <summary>Completes when there may be room; take it before the check that it follows.</summary>
    public Task AdmissionChanged => Volatile.Read(ref admissionChanged).Task;

    private void Wake() =>
        Interlocked
            .Exchange(ref admissionChanged, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();
}
