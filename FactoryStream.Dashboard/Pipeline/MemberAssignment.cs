using System.Buffers.Binary;
using System.Text;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>
/// What a group's leader told a member to consume, in the bytes of Kafka's consumer protocol: version (2), number of topics (4), and of
/// each its name (2 for the length) and its partitions (4 for how many, 4 each); all big-endian.
/// </summary>
internal static class MemberAssignment
{
    /// <summary>The partitions, by topic; empty for a member that has none yet, and for bytes that are cut off.</summary>
    public static IReadOnlyList<AssignedPartitions> Parse(ReadOnlySpan<byte> bytes)
    {
        var assigned = new List<AssignedPartitions>();
        if (bytes.Length < 6)
            return assigned;
        var topics = BinaryPrimitives.ReadInt32BigEndian(bytes[2..]);
        bytes = bytes[6..];
        for (var topic = 0; topic < topics; topic++)
        {
            if (!TryTake(ref bytes, 2, out var length) || !TryTake(ref bytes, BinaryPrimitives.ReadInt16BigEndian(length), out var name))
                return [];
            if (!TryTake(ref bytes, 4, out var count))
                return [];
            var partitions = new List<int>();
            for (var left = BinaryPrimitives.ReadInt32BigEndian(count); left > 0; left--)
            {
                if (!TryTake(ref bytes, 4, out var partition))
                    return [];
                partitions.Add(BinaryPrimitives.ReadInt32BigEndian(partition));
            }
            assigned.Add(new(Encoding.UTF8.GetString(name), [.. partitions.Order()]));
        }
        return assigned;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (length < 0 || length > bytes.Length)
            return false;
        taken = bytes[..length];
        bytes = bytes[length..];
        return true;
    }
}
