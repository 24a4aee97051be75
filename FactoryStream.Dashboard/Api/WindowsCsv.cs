using System.Buffers;
using System.Globalization;
using System.Text;

namespace FactoryStream.Dashboard.Api;

/// <summary>
/// Windows as RFC 4180 has tables. Sample:
/// <c>factory_001,engine_2,rpm,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,30012.5,2990,3011.25,3001.25,6.5,0,true</c>
/// </summary>
internal static class WindowsCsv
{
    public const string MediaType = "text/csv";

    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    public static string Format(IEnumerable<MetricWindow> windows)
    {
        var text = new StringBuilder("factory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n");
        foreach (var window in windows)
        {
            text.Append(Field(window.FactoryId)).Append(',').Append(Field(window.EngineId)).Append(',').Append(Field(window.Metric));
            text.Append(CultureInfo.InvariantCulture, $",{Time(window.WindowStart)},{Time(window.WindowEnd)},{window.Count}");
            text.Append(CultureInfo.InvariantCulture, $",{window.Sum:R},{window.Min:R},{window.Max:R},{window.Mean:R},{window.StandardDeviation:R}");
            text.Append(CultureInfo.InvariantCulture, $",{window.Revision},{(window.Closed ? "true" : "false")}\r\n");
        }
        return text.ToString();
    }

    private static string Field(string value) =>
        value.AsSpan().IndexOfAny(NeedQuotes) < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Time(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture);
}
