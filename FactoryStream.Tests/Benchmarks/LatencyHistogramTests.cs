using FactoryStream.Benchmarks.Load;

namespace FactoryStream.Tests.Benchmarks;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(new[] { 5 }, 0.5, 5)]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0.5, 5)]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0.9, 9)]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0.91, 10)]
    [InlineData(new[] { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 }, 0, 1)]
    [InlineData(new[] { -3, 63, 63 }, 0, 0)]
    [InlineData(new int[0], 0.99, 0)]
    public void A_percentile_of_short_times_is_exact(int[] microseconds, double share, int expected)
    {
        var histogram = new LatencyHistogram();
        foreach (var value in microseconds)
            histogram.Record(TimeSpan.FromMicroseconds(value));

        Assert.Equal(TimeSpan.FromMicroseconds(expected), histogram.Percentile(share));
    }

    [Fact]
    public void A_percentile_of_any_time_is_at_most_a_64th_above_it()
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 25)).Order().ToArray();
        var histogram = new LatencyHistogram();
        foreach (var value in values)
            histogram.Record(TimeSpan.FromMicroseconds(value));

        foreach (var share in (double[])[0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1])
        {
            var exact = values[(int)Math.Ceiling(share * values.Length) - 1];
            Assert.InRange(histogram.Percentile(share).TotalMicroseconds, exact, exact * (1 + 1 / 64.0) + 1);
        }
        Assert.Equal(values[^1], histogram.Max.TotalMicroseconds);
        Assert.Equal(values.Average(), histogram.Mean.TotalMicroseconds, values.Average() * 1e-6);
    }

    [Fact]
    public void A_time_counts_as_often_as_it_has_readings()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMicroseconds(10), 99);
        histogram.Record(TimeSpan.FromMicroseconds(50), 1);

        Assert.Equal(100, histogram.Count);
        Assert.Equal(10, histogram.Percentile(0.99).TotalMicroseconds);
        Assert.Equal(50, histogram.Percentile(0.991).TotalMicroseconds);
    }
}
