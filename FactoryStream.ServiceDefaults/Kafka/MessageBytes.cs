using Confluent.Kafka;

namespace FactoryStream.ServiceDefaults.Kafka;

/// <summary>
/// Copies the values of polled messages behind each other into one reused array, so that none of them is garbage afterwards. Used by the
/// consuming thread alone.
/// </summary>
public sealed class MessageBytes : IDeserializer<ReadOnlyMemory<byte>>
{
    private byte[] bytes = new byte[1 << 20];
    private int used;

    /// <summary>A message's value, valid until <see cref="Reset"/>; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context) => Keep(data);

    /// <summary>A copy, valid until <see cref="Reset"/>.</summary>
    public ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> data)
    {
        if (data.Length > bytes.Length - used)
        {
            // The values so far stay in the smaller array, which lives as long as they do.
            bytes = new byte[Math.Max(checked(bytes.Length * 2), data.Length)];
            used = 0;
        }
        var copy = bytes.AsMemory(used, data.Length);
        data.CopyTo(copy.Span);
        used += data.Length;
        return copy;
    }

    /// <summary>Begins anew: all values given out so far are void.</summary>
    public void Reset() => used = 0;
}
