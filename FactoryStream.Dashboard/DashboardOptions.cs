using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Dashboard;

/// <summary>The Dashboard's settings; section <c>Dashboard</c>.</summary>
internal sealed class DashboardOptions
{
    public const string Section = "Dashboard";

    /// <summary>Most rows of one answer of <c>/api/windows</c>. Default 100,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxWindows { get; set; } = 100_000;

    /// <summary>How long the books may read the log's tail. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan BooksPatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The least time between two updates of a page or a socket; what closes meanwhile goes together. Default 0.5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")]
    public TimeSpan UpdateInterval { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How far back the chart and <c>/api/windows</c> without times look. Default 15 min.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan RecentWindow { get; set; } = TimeSpan.FromMinutes(15);
}
