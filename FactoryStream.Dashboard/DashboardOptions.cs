using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Dashboard;

/// <summary>The Dashboard's settings; section <c>Dashboard</c>.</summary>
internal sealed class DashboardOptions
{
    public const string Section = "Dashboard";

    /// <summary>
    /// Shortest time between two looks at changed windows, and between two messages or renderings to the same reader. Default 500 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")]
    public TimeSpan PushInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time between two looks at the ledger, the last hour's rejections or the pipeline, while a page shows them. Default
    /// 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan LedgerInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an answer of <c>/api/books</c> is given again to whoever asks; 0: only to those who asked while it was read.
    /// Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan LedgerMaxAge { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Most clients of <c>/ws</c> at a time, of each replica; one more is answered 429. Default 256.</summary>
    [Range(1, 100_000)]
    public int MaxSocketClients { get; set; } = 256;

    /// <summary>Most windows of one page of <c>/api/windows</c>, whatever <c>limit</c> is asked for. Default 50,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxWindows { get; set; } = 50_000;

    /// <summary>
    /// Most readings of the broker's log that are counted for the ledger; with more of a backlog there is none for the moment. Default
    /// 2,000,000.
    /// </summary>
    [Range(1, 100_000_000)]
    public int MaxTailLines { get; set; } = 2_000_000;

    /// <summary>Longest that counting them may take. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan TailTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a listening connection on which nothing came is tried, so that a dead one shows. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan ListenCheckInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long nothing may be stored though accepted readings wait before <c>/health</c> says degraded. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StalledAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest that one statement of <c>/api/receipts</c>, <c>/api/rejections</c>, <c>/api/readings</c> or an engine's page may
    /// take; then the answer is 503. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan SearchTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The Verifier's admin token, with which admins enrol and revoke keys on the page <c>/keys</c>. Default: none, and then they cannot.
    /// </summary>
    public string? VerifierAdminToken { get; set; }

    /// <summary>Most explanations of rejections that an address may ask for in a minute, of each replica; one more is answered 429. Default
    /// 10.</summary>
    [Range(1, 10_000)]
    public int ExplanationsPerMinute { get; set; } = 10;

    /// <summary>Most enrolled keys that an explanation tries, the factory's own first. Default 100.</summary>
    [Range(1, 1_000)]
    public int ExplanationKeys { get; set; } = 100;

    /// <summary>
    /// Sites (<c>https://screens.example.com</c>) whose pages may call <c>/api</c> from a browser, with a bearer token. Default: none.
    /// </summary>
    public string[] AllowedOrigins { get; set; } = [];
}
