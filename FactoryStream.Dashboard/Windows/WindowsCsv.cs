using System.Buffers;
using System.Globalization;
using System.Text;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// Windows as RFC 4180 has tables. Sample:
/// <c>factory_001,engine_2,rpm,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,30012.5,2990,3011.25,3001.25,6.5,0,true</c>.
/// Names are the machines' own: one that a spreadsheet would take for a formula has an apostrophe before it. Numbers stay numbers.
/// </summary>
internal static class WindowsCsv
{
    public const string MediaType = "text/csv";

    // What Excel needs to see UTF-8 in it.
    private const string ByteOrderMark = "\uFEFF";

    // With these a spreadsheet's formula begins, or, after a tab or a line's end, may.
    private static readonly SearchValues<char> BeginFormulas = SearchValues.Create("=+-@\t\r\n");
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    public static string Format(IEnumerable<MetricWindow> windows, bool forExcel)
    {
        var text = new StringBuilder(forExcel ? ByteOrderMark : "").Append(
            "factory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n"
        );
        foreach (var window in windows)
        {
            text.Append(Field(window.FactoryId)).Append(',').Append(Field(window.EngineId)).Append(',').Append(Field(window.Metric));
            text.Append(CultureInfo.InvariantCulture, $",{Time(window.WindowStart)},{Time(window.WindowEnd)},{window.Count}");
            text.Append(
                CultureInfo.InvariantCulture,
                $",{window.Sum:R},{window.Min:R},{window.Max:R},{window.Mean:R},{window.StandardDeviation:R}"
            );
            text.Append(CultureInfo.InvariantCulture, $",{window.Revision},{(window.Closed ? "true" : "false")}\r\n");
        }
        return text.ToString();
    }

    private static string Field(string name)
    {
        var value = name.Length > 0 && BeginFormulas.Contains(name[0]) ? "'" + name : name;
        return value.AsSpan().IndexOfAny(NeedQuotes) < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Time(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture);
}
