using FactoryStream.Aggregator.Anomalies;

namespace FactoryStream.Tests.Aggregator.Anomalies;

/// <summary>The rules of FactoryStream.Aggregator/Anomalies/README.md, for every method and every limit.</summary>
public sealed class AnomalyScoreTests
{
    /// <summary>Forty readings of two metrics that go together, from 0 to 7, but for 0.1.</summary>
    private static readonly double[][] Pair = [.. Enumerable.Range(0, 40).Select(i => (double[])[i % 8, i % 8 + (i % 3 - 1) * 0.1])];

    [Fact]
    public void What_is_as_it_was_learned_is_no_anomaly() => Assert.All(Scores(Pair, [3, 3]), score => Assert.InRange(score, 0, 1));

    [Fact]
    public void A_shifted_mean_raises_the_score() =>
        Assert.All(Scores(Pair, [30, 30]).Zip(Scores(Pair, [40, 40])), score => Assert.InRange(score.First, 1.001, score.Second - 0.001));

    [Fact]
    public void A_pair_broken_apart_is_an_anomaly_although_each_metric_stays_in_its_range()
    {
        double[] apart = [6, 1];

        Assert.All(Scores(Pair, apart, AnomalyMethod.RobustZ), score => Assert.InRange(score, 0, 1));
        Assert.All(Scores(Pair, apart, AnomalyMethod.TSquared), score => Assert.InRange(score, 1.001, double.MaxValue));
        Assert.All(Scores(Pair, apart, AnomalyMethod.TSquaredAndQ), score => Assert.InRange(score, 1.001, double.MaxValue));
    }

    [Fact]
    public void Two_odd_readings_are_no_anomaly_and_the_third_is()
    {
        Assert.All(
            Learned(Pair),
            score =>
            {
                Assert.All(Enumerable.Range(0, 5), _ => Assert.InRange(score.Next([3, 3]), 0, 1));
                Assert.InRange(score.Next([900, 900]), 0, 1);
                Assert.InRange(score.Next([900, 900]), 0, 1);
                Assert.InRange(score.Next([900, 900]), 1.001, double.MaxValue);
            }
        );
    }

    [Fact]
    public void A_constant_metric_does_not_count()
    {
        double[][] past = [.. Pair.Select(reading => (double[])[5, .. reading])];

        Assert.Equal(Scores(Pair, [30, 40]), Scores(past, [5, 30, 40]));
        Assert.Equal(Scores(Pair, [30, 40]), Scores(past, [-1e9, 30, 40]));
    }

    [Fact]
    public void An_engine_that_never_changed_has_the_score_0() =>
        Assert.All(
            Scores(
                [
                    [1, 2],
                    [1, 2],
                ],
                [9, 9]
            ),
            score => Assert.Equal(0, score)
        );

    [Fact]
    public void The_order_of_the_metrics_changes_nothing()
    {
        double[][] past = [.. Pair.Select((reading, i) => (double[])[.. reading, i % 5])];
        double[][] reversed = [.. past.Select(reading => (double[])[.. reading.Reverse()])];

        Assert.All(Scores(past, [6, 1, 9]).Zip(Scores(reversed, [9, 1, 6])), score => Assert.Equal(1, score.Second / score.First, 1e-9));
    }

    [Fact]
    public void A_missing_value_is_the_metrics_last_one()
    {
        double[][] gaps = [.. Pair.Select((reading, i) => (double[])[reading[0], i is 1 or 2 ? double.NaN : reading[1]])];
        double[][] held = [.. Pair.Select((reading, i) => (double[])[reading[0], i is 1 or 2 ? Pair[0][1] : reading[1]])];

        Assert.Equal(Scores(held, [30, held[^1][1]]), Scores(gaps, [30, double.NaN]));
        Assert.Equal(Scores(held, [30, held[^1][1]]), Scores(gaps, [30, double.PositiveInfinity]));
    }

    [Fact]
    public void A_metric_without_any_value_does_not_count()
    {
        double[][] past = [.. Pair.Select(reading => (double[])[double.NaN, .. reading])];

        Assert.Equal(Scores(Pair, [30, 40]), Scores(past, [double.NaN, 30, 40]));
    }

    [Fact]
    public void More_metrics_than_readings_give_a_score()
    {
        double[][] past = [.. Enumerable.Range(0, 5).Select(i => Enumerable.Range(1, 8).Select(m => (double)(i * m * m % 7)).ToArray())];

        Assert.All(Scores(past, past[2]), score => Assert.InRange(score, 0, 1));
        Assert.All(Scores(past, [.. past[2].Select(value => value + 1e6)]), score => Assert.InRange(score, 1.001, double.MaxValue));
    }

    [Theory]
    [InlineData(double.MaxValue, double.MinValue)]
    [InlineData(1e-320, 1e300)]
    [InlineData(double.NaN, double.NegativeInfinity)]
    public void A_score_is_finite_whatever_a_machine_sends(double one, double other)
    {
        Assert.All(Scores(Pair, [one, other]), score => Assert.InRange(score, 0, double.MaxValue));
        Assert.All(
            Scores(
                [
                    [one, 1],
                    [other, 2],
                    [one, other],
                ],
                [other, one]
            ),
            score => Assert.InRange(score, 0, double.MaxValue)
        );
    }

    [Fact]
    public void Nothing_is_learned_from_no_reading() =>
        Assert.Throws<ArgumentException>(() => AnomalyScore.Learn([], AnomalyMethod.TSquared, LimitRule.Theory));

    [Fact]
    public void Another_number_of_metrics_than_was_learned_is_refused() =>
        Assert.All(Learned(Pair), score => Assert.Throws<ArgumentException>(() => score.Next([1])));

    /// <summary>By every method and limit, when five readings are like this one.</summary>
    private static double[] Scores(double[][] past, double[] reading, AnomalyMethod? method = null) =>
        [.. Learned(past, method).Select(score => Enumerable.Range(0, 5).Select(_ => score.Next(reading)).ToArray()[^1])];

    private static IEnumerable<AnomalyScore> Learned(double[][] past, AnomalyMethod? only = null) =>
        from method in Enum.GetValues<AnomalyMethod>()
        where only is null || method == only
        from limit in Enum.GetValues<LimitRule>()
        select AnomalyScore.Learn(past, method, limit);
}
