using System.Numerics;

namespace FactoryStream.Benchmarks.Load;

/// <summary>
/// Counts durations in buckets that are narrow where durations are short: 64 of equal width for each doubling, so that a percentile is at
/// most 1/64 above the true value, in 20 kB however many are counted. Safe for several threads.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBucketBits = 6,
        SubBuckets = 1 << SubBucketBits,
        Doublings = 40;

    // Buckets 0..63 are of 1 us each; then 64 for each doubling: 64..127 us, 128..255 us, ...
    private readonly long[] counts = new long[SubBuckets * (Doublings + 1)];
    private long count,
        sum,
        max;

    public long Count => Interlocked.Read(ref count);

    public TimeSpan Max => TimeSpan.FromMicroseconds(Interlocked.Read(ref max));

    public TimeSpan Mean => Count == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds((double)Interlocked.Read(ref sum) / Count);

    /// <param name="duration">Below zero counts as zero.</param>
    /// <param name="times">How many readings had it.</param>
    public void Record(TimeSpan duration, int times = 1)
    {
        var microseconds = Math.Max(0, duration.Ticks / TimeSpan.TicksPerMicrosecond);
        Interlocked.Add(ref counts[BucketOf(microseconds)], times);
        Interlocked.Add(ref count, times);
        Interlocked.Add(ref sum, microseconds * times);
        var seen = Interlocked.Read(ref max);
        while (microseconds > seen)
        {
            var before = Interlocked.CompareExchange(ref max, microseconds, seen);
            if (before == seen)
                break;
            seen = before;
        }
    }

    /// <summary>The duration that a share of all recorded ones does not exceed; zero when there are none.</summary>
    /// <param name="share">0 to 1, e.g. 0.99.</param>
    public TimeSpan Percentile(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        var seen = 0L;
        for (var bucket = 0; bucket < counts.Length; bucket++)
        {
            seen += Interlocked.Read(ref counts[bucket]);
            if (seen >= rank)
                return TimeSpan.FromMicroseconds(Math.Min(UpperEndOf(bucket), Interlocked.Read(ref max)));
        }
        return TimeSpan.Zero;
    }

    private static int BucketOf(long microseconds)
    {
        if (microseconds < SubBuckets)
            return (int)microseconds;
        var doubling = Math.Min(BitOperations.Log2((ulong)microseconds) - SubBucketBits + 1, Doublings);
        return doubling * SubBuckets + (int)Math.Min((microseconds >> (doubling - 1)) - SubBuckets, SubBuckets - 1);
    }

    private static long UpperEndOf(int bucket)
    {
        var (doubling, sub) = Math.DivRem(bucket, SubBuckets);
        return doubling == 0 ? sub : ((SubBuckets + sub + 1L) << (doubling - 1)) - 1;
    }
}
