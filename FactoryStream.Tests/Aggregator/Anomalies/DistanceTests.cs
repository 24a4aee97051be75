using FactoryStream.Aggregator.Anomalies;

namespace FactoryStream.Tests.Aggregator.Anomalies;

/// <summary>Each distance and its limit against what one can compute by hand.</summary>
public sealed class DistanceTests
{
    /// <summary>Two metrics that only move together: means 0, standard deviations 1, covariance 1.</summary>
    private static readonly double[][] Together =
    [
        [-1, -1],
        [0, 0],
        [1, 1],
    ];

    [Fact]
    public void A_robust_z_is_from_the_median_in_median_absolute_deviations()
    {
        var distance = new RobustDistance([
            [1],
            [2],
            [3],
            [4],
            [5000],
        ]);

        Assert.Equal(Math.Pow(3 / 1.4826, 2), distance.Of([6]), 1e-12);
    }

    [Fact]
    public void Where_half_of_the_values_are_the_same_the_mean_deviation_counts() =>
        Assert.Equal(new MetricScale(2, 1.2533), MetricScale.OfMedian([2, 2, 2, 2, 7]));

    [Fact]
    public void T_squared_of_one_metric_is_its_squared_z() =>
        Assert.Equal(
            9,
            new TSquaredDistance([
                [1],
                [2],
                [3],
            ]).Of([5]),
            1e-12
        );

    [Fact]
    public void The_covariance_is_shrunk_by_as_much_as_it_is_uncertain()
    {
        var distance = new TSquaredDistance(Together);

        // ||S - I||^2 = 2; the reading (0, 0) is 4 away from S, the others 0; 4 / 3^2 / 2.
        Assert.Equal(2.0 / 9, distance.Shrinkage, 1e-12);
        // Variances 2 and 0, drawn towards 1 by two ninths: 16/9 along the diagonal, 2/9 across it.
        Assert.Equal(2 / (16.0 / 9), distance.Of([1, 1]), 1e-12);
        Assert.Equal(2 / (2.0 / 9), distance.Of([1, -1]), 1e-12);
    }

    [Fact]
    public void Q_is_what_is_off_the_components_and_T_squared_what_is_along_them()
    {
        var components = new PrincipalComponents(Together);

        Assert.Equal(1, components.Within.Of([1, 1]), 1e-12);
        Assert.Equal(0, components.Off.Of([1, 1]), 1e-12);
        Assert.Equal(0, components.Within.Of([1, -1]), 1e-12);
        Assert.Equal(2, components.Off.Of([1, -1]), 1e-12);
    }

    [Fact]
    public void The_limit_of_T_squared_is_that_of_a_reading_that_was_not_learned()
    {
        // F(2, 18) has a closed form: 9 (0.001^(-1/9) - 1).
        var fisher = 9 * (Math.Pow(0.001, -1.0 / 9) - 1);

        Assert.Equal(2 * 21 * 19 / (20.0 * 18) * fisher, TSquaredDistance.LimitOf(2, 20)!.Value, 1e-9);
        Assert.Null(TSquaredDistance.LimitOf(20, 20));
        Assert.Null(TSquaredDistance.LimitOf(0, 20));
    }

    [Fact]
    public void The_limit_of_Q_is_what_the_left_out_variances_make_of_F()
    {
        // Readings at both ends of ten axes: ten equal variances, of which nine explain 90 % and one is left.
        double[][] ten = [.. Enumerable.Range(0, 10).SelectMany(axis => (double[][])[Axis(axis, 1), Axis(axis, -1)])];
        Assert.Equal(FisherDistribution.UpperQuantile(0.001, 1, ten.Length - 1), new PrincipalComponents(ten).Off.TheoryLimit!.Value, 1e-9);

        static double[] Axis(int axis, double value) => [.. Enumerable.Range(0, 10).Select(i => i == axis ? value : 0)];
    }

    [Theory]
    [InlineData(0.05, 1, 10, 4.964603)]
    [InlineData(0.01, 5, 20, 4.102685)]
    [InlineData(0.05, 2, 2, 19)]
    [InlineData(0.001, 1, 1, 405284.07)]
    public void Fishers_distribution_is_that_of_the_tables(double exceeding, double freedom, double otherFreedom, double expected) =>
        Assert.Equal(1, FisherDistribution.UpperQuantile(exceeding, freedom, otherFreedom) / expected, 1e-6);

    [Fact]
    public void Eigenvalues_come_greatest_first_those_of_singular_matrices_too()
    {
        var eigen = EigenDecomposition.Of(
            new double[,]
            {
                { 1, 0, 0 },
                { 0, 2, 2 },
                { 0, 2, 2 },
            }
        );

        Assert.Equal([4, 1, 0], eigen.Values.Select(value => Math.Round(value, 12)));
        Assert.Equal(2, eigen.SquaredProjection(0, [7, 1, 1]), 1e-12);
        Assert.Equal(49, eigen.SquaredProjection(1, [7, 1, 1]), 1e-12);
    }

    [Fact]
    public void A_quantile_lies_between_two_values() => Assert.Equal(3.7, Ranks.Quantile([4, 1, 3, 2], 0.9), 1e-12);
}
