using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FactoryStream.Contracts;

namespace FactoryStream.Audit.Evidence;

/// <summary>The batches of an export that were checked so far: which readings each vouches for, and whether it may.</summary>
internal sealed class CheckedBatches
{
    private readonly Dictionary<UInt128, (Verdict Verdict, HashSet<UInt128> Readings)> batches = [];

    /// <summary>Keeps a batch's verdict and its readings.</summary>
    public void Add(ReadOnlySpan<byte> array, ReadOnlySpan<BatchReading> readings, Verdict verdict)
    {
        var hashes = new HashSet<UInt128>(readings.Length);
        foreach (ref readonly var reading in readings)
            hashes.Add(HashOf(array.Slice(reading.Start, reading.Length)));
        batches[HashOf(array)] = (verdict, hashes);
    }

    /// <summary>The verdict of a reading: its batch's, if that holds it byte for byte.</summary>
    public Verdict VerdictOf(in BatchedReading reading, out string? detail)
    {
        detail = null;
        if (!batches.TryGetValue(reading.BatchSha256, out var batch))
            detail = "its batch does not stand before it";
        else if (!batch.Readings.Contains(HashOf(reading.Data.Span)))
            detail = "its batch does not hold it";
        else
            return batch.Verdict;
        return Verdict.BadSignature;
    }

    // Half of a SHA-256 is as much as tells readings apart everywhere.
    private static UInt128 HashOf(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }
}
