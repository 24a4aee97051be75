using System.Buffers;
using System.Diagnostics;
using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Messages;

/// <summary>What one partition, for as long as this replica has it, has been asked and has answered. Used by the consuming thread alone.</summary>
internal sealed class PartitionAnswers(int partition)
{
    private readonly Queue<Answer> outstanding = [];

    public int Partition { get; } = partition;

    /// <summary>Given up: what is still in hand of it is dropped, for another replica answers it.</summary>
    public bool IsClosed { get; set; }

    /// <summary>The last offset that was taken in.</summary>
    public long LastOffset { get; set; } = -1;

    /// <summary>The offset behind the last one that was answered.</summary>
    public long NextOffset { get; set; }

    /// <summary>Whether it is known what was answered before this replica had it.</summary>
    public bool IsRecalled { get; set; }

    /// <summary>What that was, as long as it may matter; null: nothing.</summary>
    public EarlierAnswers? Earlier { get; set; }

    /// <summary>Verified messages that Kafka has not acknowledged.</summary>
    public int InFlight { get; set; }

    /// <summary>The answer that grows while the one before is in flight.</summary>
    public PendingAnswer Pending { get; } = new();

    /// <summary>The offset behind the last answer of which everything is acknowledged, -1 for none.</summary>
    public long AcknowledgedOffset { get; private set; } = -1;

    /// <summary>As far as <see cref="AcknowledgedOffset"/> was handed on for committing.</summary>
    public long StoredOffset { get; set; } = -1;

    /// <summary>Answers of which something is not acknowledged, or that are not sent yet.</summary>
    public int Outstanding => outstanding.Count;

    public void Begin(Answer answer) => outstanding.Enqueue(answer);

    /// <summary>Moves <see cref="AcknowledgedOffset"/> over all that is done, in order.</summary>
    public void Advance()
    {
        while (outstanding.TryPeek(out var answer) && answer.IsSent && answer.Unacknowledged == 0)
        {
            AcknowledgedOffset = answer.NextOffset;
            outstanding.Dequeue();
        }
    }
}

/// <summary>One verified message together with the rejected lines of the source messages it answers.</summary>
internal sealed class Answer(PartitionAnswers partition)
{
    public PartitionAnswers Partition { get; } = partition;

    /// <summary>The offset behind the last source message it answers.</summary>
    public long NextOffset { get; set; }

    /// <summary>Its messages, verified and rejected, that Kafka has not acknowledged.</summary>
    public int Unacknowledged { get; set; }

    /// <summary>The verified message is on its way, so that nothing is added any more.</summary>
    public bool IsSent { get; set; }
}

/// <summary>A verified message that is being put together. Reused for the next.</summary>
internal sealed class PendingAnswer
{
    /// <summary>Null: nothing is pending.</summary>
    public Answer? Answer { get; set; }

    public ArrayBufferWriter<byte> Value { get; } = new(4096);

    public List<SourceMessage> Sources { get; } = [];

    public List<ActivityContext> Traces { get; } = [];

    /// <summary>The key that all its source messages share; null when they differ.</summary>
    public byte[]? Key { get; set; }

    public int LineCount { get; set; }

    /// <summary>How long the part of the source header is that tells of rejected lines.</summary>
    public int RejectedHeaderBytes { get; set; }

    public void Clear()
    {
        Answer = null;
        Value.ResetWrittenCount();
        Sources.Clear();
        Traces.Clear();
        Key = null;
        LineCount = 0;
        RejectedHeaderBytes = 0;
    }
}
