using System.Globalization;

namespace FactoryStream.Dashboard.Components;

/// <summary>How the page writes numbers and times.</summary>
internal static class Numbers
{
    /// <summary>Four digits or so: what fits a column and still tells two engines apart.</summary>
    public static string Short(double? value) => value switch
    {
        null => "–",
        { } number when !double.IsFinite(number) => "beyond range",
        0 => "0",
        { } number => Math.Abs(number) switch
        {
            >= 1e9 or < 1e-3 => number.ToString("0.00e+0", CultureInfo.InvariantCulture),
            >= 1000 => number.ToString("N0", CultureInfo.InvariantCulture),
            >= 100 => number.ToString("0.0", CultureInfo.InvariantCulture),
            >= 1 => number.ToString("0.00", CultureInfo.InvariantCulture),
            _ => number.ToString("0.0000", CultureInfo.InvariantCulture),
        },
    };

    public static string Whole(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>e.g. <c>12:00:10–12:00:20</c>, with its date where that is not today's.</summary>
    public static string Span(DateTime start, DateTime end, DateTime now) => string.Create(CultureInfo.InvariantCulture,
        $"{Date(start, now)}{start:HH:mm:ss}–{end:HH:mm:ss}");

    public static string Date(DateTime moment, DateTime now) => moment.Date == now.Date ? "" : moment.ToString("yyyy-MM-dd ", CultureInfo.InvariantCulture);
}
