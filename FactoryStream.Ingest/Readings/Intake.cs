using System.Buffers;
using System.Diagnostics;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Messages;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Readings;

/// <summary>Why the rest of a body was not taken.</summary>
internal enum Stop : byte
{
    /// <summary>All of it was taken.</summary>
    None = 0,

    /// <summary>The backlog stayed full.</summary>
    BacklogFull,

    /// <summary>Kafka stayed away, or slow.</summary>
    KafkaSlow,

    /// <summary>A partition stayed near what Kafka keeps of it.</summary>
    RetentionNear,

    /// <summary>The topics have another number of partitions than engines are spread over.</summary>
    PartitionsChanged,

    /// <summary>The line's factory has no key, and such factories have all of the backlog that they may have.</summary>
    UnknownShareFull,

    /// <summary>More lines than a request may have.</summary>
    TooManyLines,

    /// <summary>More refused lines than a request may have.</summary>
    TooManyRefused,

    /// <summary>More bytes than a request may have.</summary>
    BodyTooLarge,

    /// <summary>One envelope that is longer than a line may be.</summary>
    EnvelopeTooLarge,

    /// <summary>Nothing came for too long.</summary>
    Silent,

    /// <summary>Ingest was asked to stop.</summary>
    Ending,

    /// <summary>The body ended in the middle, or is not what its Content-Encoding says.</summary>
    CutOff,
}

/// <summary>A refused line, as the answer lists it.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Reason">The verdict's name.</param>
/// <param name="Detail">That in words.</param>
internal readonly record struct RejectedLine(int Line, Verdict Reason, string? Detail);

/// <summary>A member of an accepted line that is kept with the signed bytes and is no metric, for it is no number.</summary>
/// <param name="Line">Its line, from 1.</param>
/// <param name="Member">Its name.</param>
internal readonly record struct LineWarning(int Line, string Member);

/// <summary>
/// Takes in one body, or one stretch of a pulled stream: each line is refused or appended, and all is counted. Pooled; not thread-safe.
/// </summary>
internal sealed class Intake(
    SignedLog signed,
    RefusedLog refused,
    Backlog backlog,
    ObjectPool<ReadingParser> parsers,
    IngestOptions options,
    TimeProvider time
)
{
    /// <summary>Most warnings that an answer lists.</summary>
    private const int MaxWarnings = 10;

    private readonly List<RejectedLine> rejected = [];
    private readonly List<LineWarning> warnings = [];
    private EnvelopeSplitter? envelopes;
    private readonly int[] partitionOf = new int[ReadingParser.MaxBatchReadings];
    private ulong[] touched = [];

    public LineSplitter Splitter { get; } = new(options.MaxLineBytes);

    /// <summary>For bodies that are called JSON; made by the first of them.</summary>
    public EnvelopeSplitter Envelopes => envelopes ??= new(options.MaxLineBytes, IsEnvelope);

    /// <summary>Lines with members that are no numbers, the first of them, and which members those are.</summary>
    public IReadOnlyList<LineWarning> Warnings => warnings;

    public Receipt Receipt { get; } = new();

    /// <summary>Why nothing is accepted at all; null: it is.</summary>
    public string? Refusal => backlog.Refusal;

    /// <summary>The first of the refused lines.</summary>
    public IReadOnlyList<RejectedLine> Rejected => rejected;

    /// <summary>How many lines were refused.</summary>
    public int RejectedCount { get; private set; }

    /// <summary>Of these, the ones that were too long.</summary>
    public int TooLargeCount { get; private set; }

    /// <summary>Lines taken, accepted or refused.</summary>
    public int LineCount { get; private set; }

    /// <summary>Why no more was taken.</summary>
    public Stop Stop { get; set; }

    /// <summary>Begins with an empty book. The log must be open.</summary>
    public void Begin(ActivityContext trace)
    {
        Continue(trace);
        Splitter.Reset();
        envelopes?.Reset();
        var words = (signed.Partitions!.Length + 63) / 64;
        if (touched.Length != words)
            touched = new ulong[words];
    }

    /// <summary>Goes on with the same body, and an empty book. What was taken before must have settled.</summary>
    public void Continue() => Continue(Receipt.Trace);

    private void Continue(ActivityContext trace)
    {
        Receipt.Begin(trace);
        rejected.Clear();
        warnings.Clear();
        RejectedCount = 0;
        TooLargeCount = 0;
        LineCount = 0;
        Stop = Stop.None;
    }

    /// <summary>Takes all lines that a piece of a body completes. Slow only when there is no room.</summary>
    public async ValueTask TakeAsync(ReadOnlySequence<byte> piece, CancellationToken cancellationToken)
    {
        foreach (var segment in piece)
        {
            var rest = segment;
            while (Stop == Stop.None && TakeAll(ref rest, out var waiting, out var room))
                await WaitAndTakeAsync(waiting, room, cancellationToken);
        }
    }

    /// <summary>Takes one line.</summary>
    public async ValueTask TakeAsync(Line line, CancellationToken cancellationToken)
    {
        var parser = parsers.Get();
        var room = TryTake(parser, line);
        parsers.Return(parser);
        if (room != Room.Yes)
            await WaitAndTakeAsync(line, room, cancellationToken);
    }

    /// <summary>Sends what was taken, and waits until Kafka has answered for every line. Once, at the end.</summary>
    public ValueTask WhenSettledAsync()
    {
        Kick();
        return Receipt.WhenSettledAsync();
    }

    /// <summary>True when a line must wait, which it then gives; false when the piece is used up or no more is taken.</summary>
    private bool TakeAll(ref ReadOnlyMemory<byte> rest, out Line line, out Room room)
    {
        var parser = parsers.Get();
        room = Room.Yes;
        while (Splitter.TryRead(ref rest, out line))
        {
            room = TryTake(parser, line);
            if (room != Room.Yes || Stop != Stop.None)
                break;
        }
        parsers.Return(parser);
        return room != Room.Yes;
    }

    private Room TryTake(ReadingParser parser, in Line line)
    {
        if (LineCount >= options.MaxLinesPerRequest)
        {
            Stop = Stop.TooManyLines;
            return Room.Yes;
        }
        Room room;
        if (line.IsTooLong)
        {
            room = Refuse(line, Verdict.TooLarge, $"longer than {options.MaxLineBytes} bytes", "");
        }
        else if (parser.TryParse(line.Bytes, out var reading, out var detail) is var verdict and not Verdict.Accepted)
        {
            room = Refuse(line, verdict, detail ?? "", reading.FactoryId);
        }
        else if (reading.IsBatch)
        {
            room = TryTakeBatch(line, reading.FactoryId, parser.BatchReadings);
        }
        else
        {
            var partition = Partitioner.Partition(reading.FactoryId, reading.EngineId, signed.Partitions!.Length);
            room = TryAppend(partition, line, reading.FactoryId, reading.EngineId, 1);
        }
        if (room != Room.Yes)
            return room;
        LineCount++;
        if (parser.Others.Count > 0)
            Warn(line, parser.Others);
        return room;
    }

    private void Warn(in Line line, IReadOnlyList<string> members)
    {
        for (var i = 0; i < members.Count && warnings.Count < MaxWarnings; i++)
            warnings.Add(new(line.Number, members[i]));
    }

    private bool IsEnvelope(ReadOnlyMemory<byte> bytes)
    {
        var parser = parsers.Get();
        var verdict = parser.TryParse(bytes, out _, out _);
        parsers.Return(parser);
        return verdict == Verdict.Accepted;
    }

    private Room TryTakeBatch(in Line line, string factoryId, ReadOnlySpan<BatchReading> readings)
    {
        var count = signed.Partitions!.Length;
        var first = Partitioner.Partition(factoryId, readings[0].EngineId, count);
        // A machine signs what it has measured: mostly they are all of one engine, and its id is one string.
        bool isOfOnePartition = true,
            isOfOneEngine = true;
        partitionOf[0] = first;
        for (var i = 1; i < readings.Length; i++)
        {
            if (readings[i].EngineId == readings[i - 1].EngineId)
            {
                partitionOf[i] = partitionOf[i - 1];
                continue;
            }
            isOfOneEngine = false;
            partitionOf[i] = Partitioner.Partition(factoryId, readings[i].EngineId, count);
            isOfOnePartition &= partitionOf[i] == first;
        }
        return isOfOnePartition
            ? TryAppend(first, line, factoryId, isOfOneEngine ? readings[0].EngineId : null, readings.Length)
            : TryAppendToAll(line, factoryId, readings);
    }

    private Room TryAppend(int partition, in Line line, string factoryId, string? engineId, int readings)
    {
        var room = signed.Partitions![partition].TryAppend(line.Bytes.Span, factoryId, engineId, readings, Receipt);
        if (room == Room.Yes)
            touched[partition >> 6] |= 1UL << partition;
        return room;
    }

    /// <summary>A batch of several partitions' engines goes to each of them, or to none while one has no room.</summary>
    private Room TryAppendToAll(in Line line, string factoryId, ReadOnlySpan<BatchReading> readings)
    {
        var partitions = signed.Partitions!;
        Span<int> of = partitionOf.AsSpan(0, readings.Length),
            share = stackalloc int[readings.Length];
        for (var i = 0; i < of.Length; i++)
        {
            if (of[..i].Contains(of[i]))
                continue;
            var room = partitions[of[i]].HasRoom(line.Bytes.Length, factoryId);
            if (room != Room.Yes)
                return room;
        }
        var receivedAt = time.GetUtcNow();
        for (var i = 0; i < of.Length; i++)
        {
            if (of[..i].Contains(of[i]))
                continue;
            var count = 0;
            var engineId = readings[i].EngineId;
            for (var j = i; j < of.Length; j++)
            {
                if (of[j] != of[i])
                    continue;
                share[count++] = j;
                if (readings[j].EngineId != engineId)
                    engineId = null;
            }
            partitions[of[i]].AppendShare(line.Bytes.Span, factoryId, engineId, share[..count], receivedAt, Receipt);
        }
        return Room.Yes;
    }

    private Room Refuse(in Line line, Verdict reason, string detail, string factoryId)
    {
        var room = refused.TryAppend(line, reason, detail, factoryId, Receipt);
        if (room != Room.Yes)
            return room;
        if (rejected.Count < options.MaxRejectedListed)
            rejected.Add(new(line.Number, reason, detail));
        RejectedCount++;
        if (reason == Verdict.TooLarge)
            TooLargeCount++;
        if (RejectedCount >= options.MaxRefusedPerRequest)
            Stop = Stop.TooManyRefused;
        return Room.Yes;
    }

    private async ValueTask WaitAndTakeAsync(Line line, Room room, CancellationToken cancellationToken)
    {
        // What has gathered must go, or its acknowledgement would be waited for in vain.
        Kick();
        var since = time.GetTimestamp();
        // Whoever invents factories must not hold requests open either.
        while (room != Room.UnknownShareFull)
        {
            var roomCame = backlog.RoomCame;
            var parser = parsers.Get();
            room = TryTake(parser, line);
            parsers.Return(parser);
            if (room == Room.Yes)
                return;
            var left = options.RoomTimeout - time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero || backlog.IsKafkaAway || room is Room.PartitionsChanged or Room.UnknownShareFull)
                break;
            try
            {
                await roomCame.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Looked at once more, above.
            }
        }
        Stop = room switch
        {
            Room.BacklogFull => Stop.BacklogFull,
            Room.RetentionNear => Stop.RetentionNear,
            Room.PartitionsChanged => Stop.PartitionsChanged,
            Room.UnknownShareFull => Stop.UnknownShareFull,
            _ => Stop.KafkaSlow,
        };
    }

    /// <summary>Sends what was taken so far, unless its partition has a message under way: its acknowledgement will.</summary>
    public void Kick()
    {
        for (var word = 0; word < touched.Length; word++)
        {
            for (var bits = touched[word]; bits != 0; bits &= bits - 1)
                signed.Partitions![(word << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits)].Kick();
            touched[word] = 0;
        }
    }
}

/// <summary>Lends intakes and the parsers they share: as many as are at work at once, not as many as there are connections.</summary>
internal sealed class IntakePool(SignedLog signed, RefusedLog refused, Backlog backlog, IOptions<IngestOptions> options, TimeProvider time)
{
    private readonly ObjectPool<Intake> intakes = new DefaultObjectPool<Intake>(
        new Policy<Intake>(
            Parsers(new Policy<ReadingParser>(() => new ReadingParser())),
            parsers => new Intake(signed, refused, backlog, parsers, options.Value, time)
        ),
        256
    );

    public Intake Get() => intakes.Get();

    /// <summary>Only when its receipt has settled.</summary>
    public void Return(Intake intake)
    {
        intake.Splitter.Reset();
        intake.Envelopes.Reset();
        intakes.Return(intake);
    }

    private static DefaultObjectPool<ReadingParser> Parsers(Policy<ReadingParser> policy) => new(policy, Environment.ProcessorCount * 2);

    private sealed class Policy<T>(Func<T> create) : PooledObjectPolicy<T>
        where T : notnull
    {
        public Policy(ObjectPool<ReadingParser> parsers, Func<ObjectPool<ReadingParser>, T> create)
            : this(() => create(parsers)) { }

        public override T Create() => create();

        public override bool Return(T obj) => true;
    }
}
