using System.Globalization;
using System.Text;

namespace FactoryStream.Dashboard.Api;

/// <summary>Windows as CSV (RFC 4180), streamed: as many as there are, in little memory.</summary>
internal sealed class WindowsCsv(IAsyncEnumerable<WindowAnswer> windows) : IResult
{
    public const string MediaType = "text/csv";

    private const int FlushAt = 32 << 10;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var cancellation = httpContext.RequestAborted;
        var text = new StringBuilder("factory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n");
        var hasBegun = false;
        await foreach (var window in windows.WithCancellation(cancellation))
        {
            Append(text, window);
            if (text.Length >= FlushAt)
                await FlushAsync();
        }
        await FlushAsync();

        // The header waits for the first rows: a database that is away is a 503, not half a file.
        async Task FlushAsync()
        {
            if (!hasBegun)
            {
                response.ContentType = MediaType + "; charset=utf-8";
                response.Headers.ContentDisposition = "attachment; filename=windows.csv";
                hasBegun = true;
            }
            await response.WriteAsync(text.ToString(), cancellation);
            text.Clear();
        }
    }

    private static void Append(StringBuilder text, WindowAnswer window)
    {
        Field(text, window.FactoryId).Append(',');
        Field(text, window.EngineId).Append(',');
        Field(text, window.Metric);
        text.Append(CultureInfo.InvariantCulture, $",{WindowRequest.Iso(window.WindowStart)},{WindowRequest.Iso(window.WindowEnd)},{window.Count},{window.Sum},{window.Min},{window.Max},{window.Mean},{window.StandardDeviation},{window.Revision},{(window.Closed ? "true" : "false")}\r\n");
    }

    private static StringBuilder Field(StringBuilder text, string value) => value.AsSpan().IndexOfAny(",\"\r\n") < 0
        ? text.Append(value)
        : text.Append('"').Append(value.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
}
