using System.Buffers;
using System.Diagnostics;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.ObjectPool;

namespace FactoryStream.Ingest.Http;

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
internal sealed class RequestReader(
    SignedTopicWriter signed,
    RejectedTopicWriter refused,
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
    private readonly EnvelopeAppender appender = new(signed, time);

    public LineSplitter Splitter { get; } = new(options.MaxLineBytes);

    /// <summary>For bodies that are called JSON; made by the first of them.</summary>
    public EnvelopeSplitter Envelopes => envelopes ??= new(options.MaxLineBytes, IsEnvelope);

    /// <summary>Lines with members that are no numbers, the first of them, and which members those are.</summary>
    public IReadOnlyList<LineWarning> Warnings => warnings;

    public Delivery Delivery { get; } = new();

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

    /// <summary>Begins with nothing counted. The topics must be open.</summary>
    public void Begin(ActivityContext trace)
    {
        Continue(trace);
        Splitter.Reset();
        envelopes?.Reset();
        appender.Begin();
    }

    /// <summary>Goes on with the same body, and nothing counted. What was taken before must have been answered.</summary>
    public void Continue() => Continue(Delivery.Trace);

    private void Continue(ActivityContext trace)
    {
        Delivery.Begin(trace);
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
            while (Stop == Stop.None && TakeAll(ref rest, out var waiting, out var admission))
                await WaitAndTakeAsync(waiting, admission, cancellationToken);
        }
    }

    /// <summary>Takes one line.</summary>
    public async ValueTask TakeAsync(Line line, CancellationToken cancellationToken)
    {
        var parser = parsers.Get();
        var admission = TryTake(parser, line);
        parsers.Return(parser);
        if (admission != Admission.Admitted)
            await WaitAndTakeAsync(line, admission, cancellationToken);
    }

    /// <summary>Sends what was taken, and waits until Kafka has answered for every line. Once, at the end.</summary>
    public ValueTask WhenCompletedAsync()
    {
        Flush();
        return Delivery.WhenCompletedAsync();
    }

    /// <summary>True when a line must wait, which it then gives; false when the piece is used up or no more is taken.</summary>
    private bool TakeAll(ref ReadOnlyMemory<byte> rest, out Line line, out Admission admission)
    {
        var parser = parsers.Get();
        admission = Admission.Admitted;
        while (Splitter.TryRead(ref rest, out line))
        {
            admission = TryTake(parser, line);
            if (admission != Admission.Admitted || Stop != Stop.None)
                break;
        }
        parsers.Return(parser);
        return admission != Admission.Admitted;
    }

    private Admission TryTake(ReadingParser parser, in Line line)
    {
        if (LineCount >= options.MaxLinesPerRequest)
        {
            Stop = Stop.TooManyLines;
            return Admission.Admitted;
        }
        Admission admission;
        if (line.IsTooLong)
        {
            admission = Refuse(line, Verdict.TooLarge, $"longer than {options.MaxLineBytes} bytes", "");
        }
        else if (parser.TryParse(line.Bytes, out var reading, out var detail) is var verdict and not Verdict.Accepted)
        {
            admission = Refuse(line, verdict, detail ?? "", reading.FactoryId);
        }
        else if (reading.IsBatch)
        {
            admission = appender.TryAppendBatch(line.Bytes.Span, reading.FactoryId, parser.BatchReadings, Delivery);
        }
        else
        {
            admission = appender.TryAppend(line.Bytes.Span, reading.FactoryId, reading.EngineId, Delivery);
        }
        if (admission != Admission.Admitted)
            return admission;
        LineCount++;
        if (parser.Others.Count > 0)
            Warn(line, parser.Others);
        return admission;
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

    private Admission Refuse(in Line line, Verdict reason, string detail, string factoryId)
    {
        var admission = refused.TryAppend(line.Bytes, reason, detail, factoryId, Delivery);
        if (admission != Admission.Admitted)
            return admission;
        if (rejected.Count < options.MaxRejectedListed)
            rejected.Add(new(line.Number, reason, detail));
        RejectedCount++;
        if (reason == Verdict.TooLarge)
            TooLargeCount++;
        if (RejectedCount >= options.MaxRefusedPerRequest)
            Stop = Stop.TooManyRefused;
        return Admission.Admitted;
    }

    private async ValueTask WaitAndTakeAsync(Line line, Admission admission, CancellationToken cancellationToken)
    {
        // What has gathered must go, or its acknowledgement would be waited for in vain.
        Flush();
        var since = time.GetTimestamp();
        // Whoever invents factories must not hold requests open either.
        while (admission != Admission.UnknownShareFull)
        {
            var admissionChanged = backlog.AdmissionChanged;
            var parser = parsers.Get();
            admission = TryTake(parser, line);
            parsers.Return(parser);
            if (admission == Admission.Admitted)
                return;
            var left = options.AdmissionTimeout - time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero || backlog.IsKafkaAway || admission is Admission.PartitionsChanged or Admission.UnknownShareFull)
                break;
            try
            {
                await admissionChanged.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Looked at once more, above.
            }
        }
        Stop = admission switch
        {
            Admission.BacklogFull => Stop.BacklogFull,
            Admission.RetentionNear => Stop.RetentionNear,
            Admission.PartitionsChanged => Stop.PartitionsChanged,
            Admission.UnknownShareFull => Stop.UnknownShareFull,
            _ => Stop.KafkaSlow,
        };
    }

    /// <summary>Sends what was taken so far, unless its partition has a message under way: its acknowledgement will.</summary>
    public void Flush() => appender.Flush();
}
