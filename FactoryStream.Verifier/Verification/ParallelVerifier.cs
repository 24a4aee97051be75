using FactoryStream.Verifier.Keys;

namespace FactoryStream.Verifier.Verification;

/// <summary>Spreads lines over threads, each with a <see cref="LineVerifier"/> of its own.</summary>
/// <param name="verifiers">
/// Two a thread: a thread that was held up by another process leaves its second part to the others.
/// </param>
internal sealed class ParallelVerifier(LineVerifier[] verifiers)
{
    // Fewer lines, or fewer bytes of signed batches, than this are checked sooner than another thread is woken for them.
    private const int MinLinesPerThread = 64,
        MinBytesPerThread = 64 << 10;

    /// <summary>Gives each line that has none yet its verdict by <paramref name="keys"/>.</summary>
    public void Verify(ArraySegment<CheckedLine> lines, long byteCount, KeySnapshot keys)
    {
        var parts = (int)
            Math.Clamp(
                Math.Max(lines.Count / MinLinesPerThread, Math.Min(lines.Count, byteCount / MinBytesPerThread)),
                1,
                verifiers.Length
            );
        if (parts == 1)
        {
            verifiers[0].Verify(lines, keys);
            return;
        }
        var size = (lines.Count + parts - 1) / parts;
        Parallel.For(
            0,
            parts,
            new ParallelOptions { MaxDegreeOfParallelism = verifiers.Length / 2 },
            part =>
            {
                var from = Math.Min(part * size, lines.Count);
                verifiers[part].Verify(lines.AsSpan(from, Math.Min(size, lines.Count - from)), keys);
            }
        );
    }

    /// <summary>Takes back the verdicts that newer keys could change; false when there are none.</summary>
    public static bool TakeBack(Span<CheckedLine> lines)
    {
        var any = false;
        foreach (ref var line in lines)
        {
            if (!line.DependsOnNewerKeys)
                continue;
            line.HasVerdict = false;
            any = true;
        }
        return any;
    }
}
