using System.Buffers.Binary;
using System.Text;

namespace FactoryStream.Contracts;

/// <summary>
/// Kafka's own partitioner (murmur2 of the key, positive, modulo), over the key <c>factory_id/engine_id</c>: one engine is in one
/// partition, in order.
/// </summary>
public static class Partitioner
{
    /// <summary>The message key of an engine, in UTF-8.</summary>
    public static byte[] Key(string factoryId, string engineId) => Encoding.UTF8.GetBytes($"{factoryId}/{engineId}");

    /// <summary>The partition of an engine: that of its key.</summary>
    /// <param name="factoryId">The factory's id, 1 to 128 characters.</param>
    /// <param name="engineId">The engine's id within its factory, 1 to 128 characters.</param>
    /// <param name="partitionCount">Over how many partitions engines are spread, at least 1.</param>
    /// <returns>0 or more, below <paramref name="partitionCount"/>.</returns>
    public static int Partition(string factoryId, string engineId, int partitionCount)
    {
        // Ids are at most 128 characters each, so at most 3 bytes a character and the slash.
        Span<byte> key = stackalloc byte[2 * 3 * ReadingParser.MaxNameLength + 1];
        var length = Encoding.UTF8.GetBytes(factoryId, key);
        key[length++] = (byte)'/';
        length += Encoding.UTF8.GetBytes(engineId, key[length..]);
        return Partition(key[..length], partitionCount);
    }

    /// <summary>The partition that Kafka's own clients give a message key.</summary>
    /// <param name="key">The message key, as <see cref="Key"/> gives it.</param>
    /// <param name="partitionCount">How many partitions the topic has, at least 1.</param>
    /// <returns>0 or more, below <paramref name="partitionCount"/>.</returns>
    public static int Partition(ReadOnlySpan<byte> key, int partitionCount) => (int)((Murmur2(key) & 0x7fffffff) % (uint)partitionCount);

    /// <summary>MurmurHash2, 32 bits, with the seed of Apache Kafka's clients (org.apache.kafka.common.utils.Utils).</summary>
    public static uint Murmur2(ReadOnlySpan<byte> data)
    {
        const uint multiplier = 0x5bd1e995;
        var hash = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(data) * multiplier;
            word = (word ^ (word >> 24)) * multiplier;
            hash = hash * multiplier ^ word;
            data = data[4..];
        }
        if (data.Length >= 3)
            hash ^= (uint)data[2] << 16;
        if (data.Length >= 2)
            hash ^= (uint)data[1] << 8;
        if (data.Length >= 1)
            hash = (hash ^ data[0]) * multiplier;
        hash = (hash ^ (hash >> 13)) * multiplier;
        return hash ^ (hash >> 15);
    }
}
