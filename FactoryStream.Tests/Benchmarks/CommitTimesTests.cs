using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Benchmarks;

public sealed class CommitTimesTests
{
    [Fact]
    public void Times_to_the_commit_count_from_each_readings_own_instant()
    {
        // One factory and engine, two readings a POST, ten readings a second: POSTs are due after 0.2 and 0.4 s, their first readings are
        // 0.1 s older.
        var plan = new CorpusPlan(4, 1, 1, "bench", 2, 10, new DateTime(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc), SaltLength.Digest);
        var times = new CommitTimes(plan, rate: 10, partitions: 1);
        var started = new DateTime(2026, 2, 25, 9, 0, 0, DateTimeKind.Utc);

        Assert.Equal(
            [100, 200, 300, 400],
            Enumerable.Range(0, 4).Select(line => (int)Math.Round(times.MeasuredAt(line).TotalMilliseconds))
        );
        var (fromMeasured, fromDue) = times.Compute(
            started,
            [
                new(started.AddSeconds(0.25), 0, "bench_001", 2),
                new(started.AddSeconds(0.30), 0, "warm_001", 9),
                new(started.AddSeconds(0.50), 0, "bench_001", 4),
            ]
        );

        Assert.Equal((4L, 4L), (fromMeasured.Count, fromDue.Count));
        Assert.Equal((200.0, 100.0), (Math.Round(fromMeasured.Max.TotalMilliseconds), Math.Round(fromDue.Max.TotalMilliseconds)));
        Assert.Equal((125.0, 75.0), (Math.Round(fromMeasured.Mean.TotalMilliseconds), Math.Round(fromDue.Mean.TotalMilliseconds)));
    }
}
