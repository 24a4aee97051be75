using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Verifier.Verdicts;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier.Messages;

/// <summary>
/// Writes the verdicts to <c>readings.verified</c> and <c>readings.rejected</c> and tells which offsets are thereby done with. Every source message is
/// answered in its partition's order. All but the health figures is used by the consuming thread alone; Kafka's own threads only leave acknowledgements here.
/// </summary>
internal sealed class AnswerLog(
    IProducer<byte[]?, byte[]> producer, IOptions<VerifierOptions> options, TimeProvider time, VerifierMetrics metrics, VerifierLog log) : IDisposable
{
    public static readonly ActivitySource Traces = new("FactoryStream.Verifier");

    // A header that tells of more rejected lines by name could outgrow what a broker takes as a message.
    private const int MaxRejectedHeaderBytes = 256 << 10;

    // What a message costs besides its value, about: headers and librdkafka's own record.
    private const int MessageOverheadBytes = 512;

    private static readonly byte[] FramingSingle = "single"u8.ToArray();
    private static readonly byte[] ByVerifier = "verifier"u8.ToArray();
    private static readonly byte[] BooksUnknown = Encoding.ASCII.GetBytes(MessageHeaders.BooksUnknown);
    private static readonly byte[][] Reasons = [.. Enum.GetValues<Verdict>().Select(verdict => Encoding.ASCII.GetBytes(verdict.ToName()))];

    private readonly VerifierOptions options = options.Value;
    private readonly Dictionary<int, PartitionAnswers> partitions = [];
    private readonly ConcurrentQueue<Acknowledgement> acknowledgements = new();
    private readonly AutoResetEvent acknowledged = new(false);
    private readonly long[] byVerdict = new long[Reasons.Length];
    private byte[] sourceTopicId = [];
    private byte[] verdictTime = [];
    private long inFlightBytes;
    private long lastProgress;
    private volatile bool hasJoined;

    /// <summary>Whether the consumer group has given this replica its share, be it none.</summary>
    public bool HasJoined => hasJoined;

    /// <summary>Raised by an assignment: the topic may be another incarnation than the last one.</summary>
    public bool MustIdentifyTopic { get; private set; } = true;

    /// <summary>The incarnation that all answers are about.</summary>
    public string SourceTopicId => Encoding.UTF8.GetString(sourceTopicId);

    public long InFlightBytes => Interlocked.Read(ref inFlightBytes);

    /// <summary>How long Kafka has acknowledged nothing though there was something to acknowledge; zero when all is well.</summary>
    public TimeSpan StalledFor => InFlightBytes == 0 ? TimeSpan.Zero : time.GetElapsedTime(Interlocked.Read(ref lastProgress));

    public bool HasPending { get; private set; }

    /// <summary>Ends a wait for room in the producer's queue.</summary>
    public CancellationToken Stopping { get; set; }

    public IEnumerable<PartitionAnswers> Partitions => partitions.Values;

    public PartitionAnswers? Of(int partition) => partitions.GetValueOrDefault(partition);

    /// <summary>All answers from here on are about this incarnation of <c>readings.signed</c>.</summary>
    /// <exception cref="InvalidOperationException">It is not the one before: whatever is still in hand is about messages that are no more.</exception>
    public void IdentifyTopic(string topicId)
    {
        var id = Encoding.UTF8.GetBytes(topicId);
        if (sourceTopicId.Length > 0 && !sourceTopicId.AsSpan().SequenceEqual(id))
            throw new InvalidOperationException($"The topic {Topics.Signed} was made anew; starting over.");
        sourceTopicId = id;
        MustIdentifyTopic = false;
    }

    /// <summary>Takes over partitions.</summary>
    public void Assign(IReadOnlyCollection<TopicPartition> assigned)
    {
        foreach (var partition in assigned)
            partitions[partition.Partition.Value] = new PartitionAnswers(partition.Partition.Value);
        if (assigned.Count > 0)
        {
            MustIdentifyTopic = true;
            log.Assigned(Join(assigned.Select(partition => partition.Partition.Value)));
        }
        hasJoined = true;
    }

    /// <summary>Gives partitions up in good order: everything said is sent and acknowledged, and committed through <paramref name="consumer"/>.</summary>
    public void Revoke(IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer, IReadOnlyCollection<TopicPartitionOffset> revoked)
    {
        var leaving = Close(revoked);
        if (leaving.Count == 0)
            return;
        log.Revoked(Join(leaving.Select(partition => partition.Partition)));
        foreach (var partition in leaving)
            Send(partition);
        var began = time.GetTimestamp();
        while (leaving.Exists(partition => partition.Outstanding > 0) && time.GetElapsedTime(began) < options.DrainTimeout)
        {
            WaitForAcknowledgement(TimeSpan.FromMilliseconds(10));
            Drain();
        }
        foreach (var partition in leaving.Where(partition => partition.Outstanding > 0))
            log.NotDrained(partition.Partition, partition.Outstanding, options.DrainTimeout);
        var offsets = leaving.Where(partition => partition.AcknowledgedOffset >= 0)
            .Select(partition => new TopicPartitionOffset(Topics.Signed, partition.Partition, partition.AcknowledgedOffset)).ToList();
        if (offsets.Count == 0)
            return;
        try
        {
            consumer.Commit(offsets);
        }
        catch (KafkaException exception)
        {
            // The group went on without us.
            log.NotCommitted(exception.Error.Reason);
        }
    }

    /// <summary>Partitions that another replica has already: nothing can be said for them any more.</summary>
    public void Lose(IReadOnlyCollection<TopicPartitionOffset> lost)
    {
        var gone = Close(lost);
        if (gone.Count > 0)
            log.Lost(Join(gone.Select(partition => partition.Partition)));
    }

    /// <summary>Answers a judged batch.</summary>
    /// <param name="batch">With all verdicts given.</param>
    /// <param name="spans">The open span of each partition that has traced messages in the batch.</param>
    public void Add(SourceBatch batch, IReadOnlyDictionary<PartitionAnswers, Activity> spans)
    {
        verdictTime = Utf8(time.GetUtcNow());
        foreach (var record in batch.Records)
        {
            if (record.Answers.IsClosed)
                continue;
            ActivityContext trace = default;
            if (record.IsTraced)
                trace = spans.TryGetValue(record.Answers, out var span) ? span.Context : record.Trace;
            Add(record, batch.LinesOf(record), trace);
        }
        metrics.Judged(byVerdict);
        byVerdict.AsSpan().Clear();
        SendReady();
    }

    /// <summary>Sends what waits in partitions that have nothing in flight.</summary>
    public void SendReady()
    {
        HasPending = false;
        foreach (var partition in partitions.Values)
        {
            if (partition.Pending.Answer is null)
                continue;
            if (partition.InFlight == 0)
                Send(partition);
            else
                HasPending = true;
        }
    }

    /// <summary>Takes in what Kafka acknowledged.</summary>
    /// <exception cref="KafkaException">Kafka refused a message for good: going on would lose a reading.</exception>
    public void Drain()
    {
        while (acknowledgements.TryDequeue(out var acknowledgement))
        {
            if (acknowledgement.Error.IsError)
                throw new KafkaException(acknowledgement.Error);
            var answer = acknowledgement.Answer;
            answer.Unacknowledged--;
            if (acknowledgement.IsVerified)
                answer.Partition.InFlight--;
            answer.Partition.Advance();
            Interlocked.Add(ref inFlightBytes, -acknowledgement.Bytes);
            Interlocked.Exchange(ref lastProgress, time.GetTimestamp());
        }
        metrics.InFlight(InFlightBytes);
    }

    public void WaitForAcknowledgement(TimeSpan timeout) => acknowledged.WaitOne(timeout);

    public void Dispose() => acknowledged.Dispose();

    private List<PartitionAnswers> Close(IEnumerable<TopicPartitionOffset> closing)
    {
        var closed = new List<PartitionAnswers>();
        foreach (var partition in closing)
        {
            if (partitions.Remove(partition.Partition.Value, out var answers))
            {
                answers.IsClosed = true;
                closed.Add(answers);
            }
        }
        return closed;
    }

    private void Add(in SourceRecord record, Span<JudgedLine> lines, ActivityContext trace)
    {
        var partition = record.Answers;
        // Downstream an answer behind a later one counts as a redelivery and is ignored: its readings would be lost.
        if (record.Offset < partition.NextOffset)
            throw new InvalidOperationException($"Partition {partition.Partition}: offset {record.Offset} is answered after {partition.NextOffset - 1}.");
        partition.NextOffset = record.Offset + 1;
        var earlier = partition.Earlier;
        if (earlier is not null && record.Offset > earlier.LastOffset)
            partition.Earlier = earlier = null;
        if (earlier is not null)
        {
            if (earlier.IsAnswered(record.Offset, out var rejectedThen))
            {
                AnswerAgain(record, lines, earlier, rejectedThen, trace);
                return;
            }
            Recall(record, lines, earlier);
        }
        var pending = partition.Pending;
        // Its line breaks would be taken for ends of lines beside others; rejected, it leaves no line.
        var goesAlone = record.IsSingle && lines[0].Verdict == Verdict.Accepted;
        if (pending.Answer is not null
            && (pending.LineCount + lines.Length > options.MaxLinesPerMessage || pending.Value.WrittenCount + record.Bytes > options.MaxMessageBytes
                || pending.RejectedHeaderBytes > MaxRejectedHeaderBytes || goesAlone))
            Send(partition);
        if (pending.Answer is null)
        {
            pending.Answer = new Answer(partition);
            pending.Key = record.Key;
            partition.Begin(pending.Answer);
        }
        else if (pending.Key is not null && !pending.Key.AsSpan().SequenceEqual(record.Key))
        {
            pending.Key = null;
        }
        if (trace != default)
            pending.Traces.Add(trace);

        List<SourceRejection>? rejected = null;
        for (var i = 0; i < lines.Length; i++)
        {
            ref var line = ref lines[i];
            if (line.Verdict == Verdict.Accepted && !TryWrite(pending.Value, line, goesAlone))
            {
                // Nothing that was parsed here is known to do that; should it, one line is rejected by name instead of a message's lines being mistaken for each other.
                log.FramingRefused(partition.Partition, record.Offset, i);
                line.Verdict = Verdict.Malformed;
                line.Detail = "envelope: expected one line, found a line break in what is to be written";
            }
            byVerdict[(int)line.Verdict] += line.Count;
            if (line.Verdict == Verdict.Accepted)
                continue;
            // Past the header's bound a line stands on nobody's books, as that of a factory without a key does: in both messages alike,
            // so that the books balance.
            var source = new SourcePosition(record.Offset, i);
            EarlierRejection written = default;
            var isWritten = earlier is not null && earlier.IsRejected(source, out written);
            var books = isWritten ? written.Books : line.IsOfUnknownFactory ? "" : line.Reading.FactoryId ?? "";
            pending.RejectedHeaderBytes += 17 + Uri.EscapeDataString(books).Length;
            if (pending.RejectedHeaderBytes > MaxRejectedHeaderBytes && !isWritten)
                books = "";
            (rejected ??= []).Add(new(i, books, isWritten ? written.Readings : line.Count));
            if (!isWritten)
                Reject(pending.Answer, source, line, books, trace);
        }
        pending.LineCount += lines.Length;
        pending.Answer.NextOffset = partition.NextOffset;
        pending.Sources.Add(new SourceMessage(record.Offset, lines.Length, rejected ?? (IReadOnlyList<SourceRejection>)[]));
        if (goesAlone)
            Send(partition, isSingle: true, record.Share);
    }

    /// <summary>
    /// Gives lines the verdicts that were given before, of which only the rejections are written. A line before the last of those was
    /// accepted if it was not rejected; where a key says otherwise by now (it was revoked as from an earlier time), it is accepted again.
    /// </summary>
    private static void Recall(in SourceRecord record, Span<JudgedLine> lines, EarlierAnswers earlier)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            ref var line = ref lines[i];
            var source = new SourcePosition(record.Offset, i);
            if (earlier.IsRejected(source, out var rejection))
                (line.Verdict, line.Detail) = (rejection.Verdict, rejection.Detail);
            else if (line.Verdict != Verdict.Accepted && line.Key is not null && source < earlier.LastRejected)
                (line.Verdict, line.Detail) = (Verdict.Accepted, null);
        }
    }

    /// <summary>
    /// The verified log tells of this message already, and would ignore a second answer. What may be missing is rejections: the two logs
    /// are written side by side.
    /// </summary>
    private void AnswerAgain(
        in SourceRecord record, Span<JudgedLine> lines, EarlierAnswers earlier, IReadOnlyList<SourceRejection> rejected,
        ActivityContext trace)
    {
        var partition = record.Answers;
        var answer = new Answer(partition) { NextOffset = partition.NextOffset, IsSent = true };
        partition.Begin(answer);
        foreach (var (number, books, _) in rejected)
        {
            var source = new SourcePosition(record.Offset, number);
            if (number >= lines.Length || earlier.IsRejected(source, out _))
                continue;
            ref var line = ref lines[number];
            if (line.Verdict == Verdict.Accepted)
                (line.Verdict, line.Detail) = (Verdict.UnknownKey, "rejected when it was first judged, by the keys of that moment");
            Reject(answer, source, line, books, trace);
        }
        partition.Advance();
    }

    /// <summary>
    /// Writes an accepted line: <c>{"data":{...},"signature":"...","key_id":"..."}</c>, or <c>{"batch":[...],...}</c>, the data byte for byte as it came. False, and nothing written,
    /// where it would be more than one line.
    /// </summary>
    private static bool TryWrite(ArrayBufferWriter<byte> value, in JudgedLine line, bool goesAlone)
    {
        var data = line.Reading.Data.Span;
        var signature = line.Reading.Signature.Span;
        var keyId = line.Key!.KeyIdUtf8;
        var span = value.GetSpan(data.Length + signature.Length + keyId.Length + 64);
        var length = 0;
        if (value.WrittenCount > 0)
            span[length++] = (byte)'\n';
        Append(span, line.Reading.IsBatch ? """{"batch":"""u8 : """{"data":"""u8, ref length);
        Append(span, data, ref length);
        Append(span, ""","signature":" """u8[..^1], ref length);
        Append(span, signature, ref length);
        Append(span, "\",\"key_id\":\""u8, ref length);
        Append(span, keyId, ref length);
        Append(span, "\"}"u8, ref length);
        if (!goesAlone && span[(value.WrittenCount > 0 ? 1 : 0)..length].Contains((byte)'\n'))
            return false;
        value.Advance(length);
        return true;

        static void Append(Span<byte> span, ReadOnlySpan<byte> part, ref int length)
        {
            part.CopyTo(span[length..]);
            length += part.Length;
        }
    }

    private void Reject(Answer answer, SourcePosition source, in JudgedLine line, string books, ActivityContext trace)
    {
        var factoryId = line.Reading.FactoryId ?? "";
        var headers = new Headers
        {
            { MessageHeaders.Reason, Reasons[(int)line.Verdict] },
            { MessageHeaders.RejectedBy, ByVerifier },
            { MessageHeaders.RejectedAt, verdictTime },
            { MessageHeaders.Source, Encoding.ASCII.GetBytes(source.ToString()) },
            { MessageHeaders.SourceTopicId, sourceTopicId },
        };
        if (line.Count != 1)
            headers.Add(MessageHeaders.Readings, Encoding.ASCII.GetBytes(line.Count.ToString(CultureInfo.InvariantCulture)));
        if (line.Detail is not null)
            headers.Add(MessageHeaders.Detail, Encoding.UTF8.GetBytes(line.Detail));
        if (factoryId.Length > 0)
            headers.Add(MessageHeaders.FactoryId, Encoding.UTF8.GetBytes(factoryId));
        if (factoryId != books)
            headers.Add(MessageHeaders.Books, BooksUnknown);
        if (MessageTracing.TraceParentOf(trace) is { } traceParent)
            headers.Add(MessageHeaders.TraceParent, Encoding.ASCII.GetBytes(traceParent));
        var message = new Message<byte[]?, byte[]> { Value = line.Raw.ToArray(), Headers = headers };
        Produce(Topics.Rejected, answer, message, isVerified: false, span: null);
    }

    private void Send(PartitionAnswers partition, bool isSingle = false, byte[]? share = null)
    {
        var pending = partition.Pending;
        if (pending.Answer is not { } answer)
            return;
        using var noParent = new NoCurrentActivity();
        var span = Traces.StartBatch("send readings.verified", ActivityKind.Producer, pending.Traces);
        span.SetMessaging("send", Topics.Verified, partition.Partition);

        var headers = new Headers
        {
            { MessageHeaders.Source, Encoding.ASCII.GetBytes(SourcePositions.Format(pending.Sources)) },
            { MessageHeaders.SourceTopicId, sourceTopicId },
            { MessageHeaders.VerdictTime, verdictTime },
        };
        if (isSingle)
            headers.Add(MessageHeaders.Framing, FramingSingle);
        if (share is not null)
            headers.Add(MessageHeaders.BatchShare, share);
        if (pending.Traces.Count > 0 && MessageTracing.TraceParentOf(span?.Context ?? pending.Traces[0]) is { } traceParent)
            headers.Add(MessageHeaders.TraceParent, Encoding.ASCII.GetBytes(traceParent));
        var message = new Message<byte[]?, byte[]> { Key = pending.Key, Value = pending.Value.WrittenSpan.ToArray(), Headers = headers };
        answer.IsSent = true;
        partition.InFlight++;
        pending.Clear();
        Produce(Topics.Verified, answer, message, isVerified: true, span);
        metrics.Answered();
    }

    private void Produce(string topic, Answer answer, Message<byte[]?, byte[]> message, bool isVerified, Activity? span)
    {
        var bytes = message.Value.Length + MessageOverheadBytes;
        if (Interlocked.Add(ref inFlightBytes, bytes) == bytes)
            Interlocked.Exchange(ref lastProgress, time.GetTimestamp());
        answer.Unacknowledged++;
        while (true)
        {
            try
            {
                producer.Produce(new TopicPartition(topic, answer.Partition.Partition), message, report =>
                {
                    if (report.Error.IsError)
                        span?.SetStatus(ActivityStatusCode.Error, report.Error.Reason);
                    span?.Stop();
                    acknowledgements.Enqueue(new(answer, isVerified, bytes, report.Error));
                    acknowledged.Set();
                });
                return;
            }
            catch (ProduceException<byte[]?, byte[]> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                Stopping.ThrowIfCancellationRequested();
                acknowledged.WaitOne(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    private static byte[] Utf8(DateTimeOffset moment) => Encoding.ASCII.GetBytes(moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));

    private static string Join(IEnumerable<int> numbers) => string.Join(", ", numbers.Order());

    private readonly record struct Acknowledgement(Answer Answer, bool IsVerified, int Bytes, Error Error);

    /// <summary>A span that ends on another thread must not stay this thread's current one.</summary>
    private readonly struct NoCurrentActivity() : IDisposable
    {
        private readonly Activity? before = Activity.Current;

        public void Dispose() => Activity.Current = before;
    }
}
