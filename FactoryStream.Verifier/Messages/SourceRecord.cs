using System.Diagnostics;

namespace FactoryStream.Verifier.Messages;

/// <summary>One message of <c>readings.signed</c> in a <see cref="SourceBatch"/>.</summary>
/// <param name="Answers">Where its answer goes; closed when the partition was given up meanwhile.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Key">Its key, set when all its lines are of one engine.</param>
/// <param name="Bytes">The length of its value.</param>
/// <param name="IsSingle">The value is one envelope, line breaks and all.</param>
/// <param name="FirstLine">Index of its first line in the batch.</param>
/// <param name="LineCount">How many lines it has; none if the value is empty.</param>
/// <param name="Share">The header of a batch that other partitions got as well; null: it is none.</param>
/// <param name="Trace">The sampled context it came with, else default.</param>
internal readonly record struct SourceRecord(
    PartitionAnswers Answers, long Offset, byte[]? Key, int Bytes, bool IsSingle, int FirstLine, int LineCount, byte[]? Share, ActivityContext Trace)
{
    public bool IsTraced => Trace.TraceId != default;
}
