using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Windowing;

/// <summary>Running totals of one metric, by Welford's update; never infinite and never not a number, whatever a machine sends.</summary>
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
        new() { Metric = metric, Count = 1, Sum = WindowTotals.Bounded(value), Min = value, Max = value, mean = value };

    public void Add(double value)
    {
        Count++;
        Sum = WindowTotals.Bounded(Sum + value);
        Min = Math.Min(Min, value);
        Max = Math.Max(Max, value);
        // Of finite numbers a difference may be infinite; clamped, the mean stays between least and greatest.
        var before = Math.Clamp(value - mean, -double.MaxValue, double.MaxValue);
        mean += before / Count;
        SquaredDeviation = WindowTotals.Bounded(SquaredDeviation + before * (value - mean));
    }
}
