namespace FactoryStream.Dashboard.Windows;

/// <summary>The closed window that a reading counts in, for statements about readings.</summary>
internal static class ReadingWindow
{
    /// <summary>
    /// Joins <c>closed</c>, with <c>window_start</c>, <c>window_end</c> and <c>revision</c>, to <c>reading</c>, with <c>engine_no</c> and
    /// <c>measured_at</c>. Null: the window is not closed yet, or the reading has no metrics.
    /// </summary>
    public const string Join = """
        LEFT JOIN LATERAL (
            SELECT window_start, window_end, max(revision) AS revision FROM factory.windows
            WHERE windows.engine_no = reading.engine_no AND window_start <= reading.measured_at AND window_end > reading.measured_at
                AND window_start > reading.measured_at - interval '1 day'
            GROUP BY window_start, window_end
            ORDER BY window_start DESC
            LIMIT 1
        ) AS closed ON true
        """;
}
