using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Dashboard;

/// <summary>The Dashboard's settings; section <c>Dashboard</c>.</summary>
internal sealed class DashboardOptions
{
    public const string Section = "Dashboard";

    /// <summary>Notifications that come within this time are answered by one look at the database and one push to pages and sockets. Default 0.5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often the books are drawn up anew while a page shows them. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan BooksInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>What the chart shows, and what a query for windows without times answers. Default 15 min.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan DefaultSpan { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>An engine whose newest window ended longer ago is shown as quiet. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan QuietAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Most windows of one JSON answer; the rest is behind its <c>next</c>. Default 10,000.</summary>
    [Range(1, 100_000)]
    public int MaxWindows { get; set; } = 10_000;

    /// <summary>Most lines not yet stored that are counted, by factory, for one look at the books. Default 200,000.</summary>
    [Range(1, 100_000_000)]
    public int MaxBacklogLines { get; set; } = 200_000;

    /// <summary>Longest that lines not yet stored are counted for one look at the books. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan MaxBacklogTime { get; set; } = TimeSpan.FromSeconds(5);
}
