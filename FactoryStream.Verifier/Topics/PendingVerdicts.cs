using System.Buffers;
using System.Diagnostics;
using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Topics;

/// <summary>A verified message that is being put together. Reused for the next.</summary>
internal sealed class PendingVerdicts
{
    // A header that names the factories of more rejected lines could outgrow what a broker takes as a message.
    private const int MaxRejectedHeaderBytes = 256 << 10;

    // What a rejected line takes in the header besides the name of its factory, at most.
    private const int RejectedLineBytes = 17;

    private int rejectedHeaderBytes;

    /// <summary>Null: nothing is pending.</summary>
    public VerdictDelivery? Delivery { get; private set; }

    public ArrayBufferWriter<byte> Value { get; } = new(4096);

    public List<SourceMessage> Sources { get; } = [];

    public List<ActivityContext> Traces { get; } = [];

    /// <summary>The key that all its source messages share; null when they differ.</summary>
    public byte[]? Key { get; private set; }

    public int LineCount { get; private set; }

    /// <summary>The header names the factories of as many rejected lines as it may.</summary>
    public bool IsHeaderFull => rejectedHeaderBytes > MaxRejectedHeaderBytes;

    /// <summary>The delivery that the current message belongs to, which begins here if nothing is pending.</summary>
    public VerdictDelivery Include(in PolledMessage message, ActivityContext trace)
    {
        if (Delivery is null)
        {
            Delivery = message.Partition.BeginDelivery();
            Key = message.Key;
        }
        else if (Key is not null && !Key.AsSpan().SequenceEqual(message.Key))
        {
            Key = null;
        }
        if (trace != default)
            Traces.Add(trace);
        message.Partition.Extend(Delivery);
        return Delivery;
    }

    /// <summary>Counts a rejected line of this ledger towards the header's bound.</summary>
    public void CountRejected(string ledger) => rejectedHeaderBytes += RejectedLineBytes + Uri.EscapeDataString(ledger).Length;

    /// <summary>Adds a source message to the header.</summary>
    public void AddSource(long offset, int lineCount, IReadOnlyList<SourceRejection> rejected)
    {
        LineCount += lineCount;
        Sources.Add(new SourceMessage(offset, lineCount, rejected));
    }

    public void Clear()
    {
        Delivery = null;
        Value.ResetWrittenCount();
        Sources.Clear();
        Traces.Clear();
        Key = null;
        LineCount = 0;
        rejectedHeaderBytes = 0;
    }
}
