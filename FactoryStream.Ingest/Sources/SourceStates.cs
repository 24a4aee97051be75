using System.Globalization;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Sources;

/// <summary>What is known of each source that is pulled: for <c>/health</c> and for the gauge.</summary>
internal sealed class SourceStates
{
    public SourceStates(IOptions<IngestOptions> options, IngestMetrics metrics, TimeProvider time)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        All =
        [
            .. options.Value.Sources.Select(
                (source, index) =>
                {
                    var address = new Uri(source);
                    // Who may read may be said in an address; that is told to nobody.
                    var name = address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
                    return new SourceState(names.Add(name) ? name : $"{name}#{index}", address, time);
                }
            ),
        ];
        metrics.ObserveSources(() => All.Select(source => (source.Name, source.IsConnected)));
    }

    /// <summary>One for each source, as they were given.</summary>
    public IReadOnlyList<SourceState> All { get; }

    /// <summary>
    /// By name, in words: <c>connected</c>, <c>not tried yet</c>, or
    /// <c>lost since 2026-02-25T06:13:20Z, failed attempts: 3, the last: HTTP 500</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Describe() => All.ToDictionary(source => source.Name, source => source.ToString());
}

/// <summary>One source; its own loop writes, whoever asks reads.</summary>
internal sealed class SourceState(string name, Uri address, TimeProvider time)
{
    private readonly Lock gate = new();
    private bool isConnected;
    private DateTimeOffset lostAt;
    private int failures;
    private string? reason;

    /// <summary>The address without user, password and query.</summary>
    public string Name => name;

    public Uri Address => address;

    public bool IsConnected
    {
        get
        {
            lock (gate)
                return isConnected;
        }
    }

    /// <summary>Attempts in a row that failed.</summary>
    public int Failures
    {
        get
        {
            lock (gate)
                return failures;
        }
    }

    public void Connected()
    {
        lock (gate)
            (isConnected, failures, reason) = (true, 0, null);
    }

    /// <summary>It ended, broke or did not answer.</summary>
    public void Lost(string why)
    {
        lock (gate)
        {
            if (reason is null)
                lostAt = time.GetUtcNow();
            (isConnected, reason) = (false, why);
            failures++;
        }
    }

    public override string ToString()
    {
        lock (gate)
        {
            return isConnected ? "connected"
                : reason is null ? "not tried yet"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"lost since {lostAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}, failed attempts: {failures}, the last: {reason}"
                );
        }
    }
}
