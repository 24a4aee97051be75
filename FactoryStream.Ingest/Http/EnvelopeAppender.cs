using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Topics;

namespace FactoryStream.Ingest.Http;

/// <summary>Appends envelopes to the partitions of their engines, and knows which of these are to be flushed. Not thread-safe.</summary>
internal sealed class EnvelopeAppender(SignedTopicWriter signed, TimeProvider time)
{
    private readonly int[] partitionOf = new int[ReadingParser.MaxBatchReadings];
    private ulong[] touched = [];

    /// <summary>Begins with a body. The topic must be open.</summary>
    public void Begin()
    {
        var words = (signed.Partitions!.Length + 63) / 64;
        if (touched.Length != words)
            touched = new ulong[words];
    }

    /// <summary>Appends the envelope of one reading, or says why it must wait.</summary>
    public Admission TryAppend(ReadOnlySpan<byte> line, string factoryId, string engineId, Delivery delivery)
    {
        var partition = Partitioner.Partition(factoryId, engineId, signed.Partitions!.Length);
        return TryAppend(partition, line, factoryId, engineId, 1, delivery);
    }

    /// <summary>Appends a batch to the partitions of its engines, or says why it must wait.</summary>
    public Admission TryAppendBatch(ReadOnlySpan<byte> line, string factoryId, ReadOnlySpan<BatchReading> readings, Delivery delivery)
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
            ? TryAppend(first, line, factoryId, isOfOneEngine ? readings[0].EngineId : null, readings.Length, delivery)
            : TryAppendToAll(line, factoryId, readings, delivery);
    }

    private Admission TryAppend(int partition, ReadOnlySpan<byte> line, string factoryId, string? engineId, int readings, Delivery delivery)
    {
        var admission = signed.Partitions![partition].TryAppend(line, factoryId, engineId, readings, delivery);
        if (admission == Admission.Admitted)
            touched[partition >> 6] |= 1UL << partition;
        return admission;
    }

    /// <summary>A batch of several partitions' engines goes to each of them, or to none while one has no room.</summary>
    private Admission TryAppendToAll(ReadOnlySpan<byte> line, string factoryId, ReadOnlySpan<BatchReading> readings, Delivery delivery)
    {
        var partitions = signed.Partitions!;
        Span<int> of = partitionOf.AsSpan(0, readings.Length),
            share = stackalloc int[readings.Length];
        for (var i = 0; i < of.Length; i++)
        {
            if (of[..i].Contains(of[i]))
                continue;
            var admission = partitions[of[i]].CheckAdmission(line.Length, factoryId);
            if (admission != Admission.Admitted)
                return admission;
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
            partitions[of[i]].AppendShare(line, factoryId, engineId, share[..count], receivedAt, delivery);
        }
        return Admission.Admitted;
    }

    /// <summary>Sends what was taken so far, unless its partition has a message under way: its acknowledgement will.</summary>
    public void Flush()
    {
        for (var word = 0; word < touched.Length; word++)
        {
            for (var bits = touched[word]; bits != 0; bits &= bits - 1)
                signed.Partitions![(word << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits)].Flush();
            touched[word] = 0;
        }
    }
}
