namespace FactoryStream.Aggregator.Windowing;

/// <summary>Running totals of one metric: Welford's update for one value, Chan, Golub and LeVeque's for two totals.</summary>
internal struct MetricTotals
{
    public string Metric;
    public long Count;
    public double Sum;
    public double Min;
    public double Max;
    public double SquaredDeviation;
    private double mean;

    public static MetricTotals Of(string metric, double value) =>
        new() { Metric = metric, Count = 1, Sum = value, Min = value, Max = value, mean = value };

    public void Add(double value)
    {
        Count++;
        Sum += value;
        Min = Math.Min(Min, value);
        Max = Math.Max(Max, value);
        var before = value - mean;
        mean += before / Count;
        SquaredDeviation += before * (value - mean);
    }
}
