using System.Diagnostics;

namespace FactoryStream.Verifier.Topics;

/// <summary>One message of <c>readings.signed</c> among the <see cref="PolledMessages"/>.</summary>
/// <param name="Partition">The partition it came from, to which its verdicts go as well; closed when it was given up meanwhile.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Key">Its key, set when all its lines are of one engine.</param>
/// <param name="Bytes">The length of its value.</param>
/// <param name="IsSingle">The value is one envelope, line breaks and all.</param>
/// <param name="FirstLine">Index of its first line among all that were polled.</param>
/// <param name="LineCount">How many lines it has; none if the value is empty.</param>
/// <param name="Share">The header of a signed batch that other partitions got as well; null: it is none.</param>
/// <param name="Trace">The sampled context it came with, else default.</param>
internal readonly record struct PolledMessage(
    PartitionProgress Partition,
    long Offset,
    byte[]? Key,
    int Bytes,
    bool IsSingle,
    int FirstLine,
    int LineCount,
    byte[]? Share,
    ActivityContext Trace
)
{
    public bool IsTraced => Trace.TraceId != default;
}
