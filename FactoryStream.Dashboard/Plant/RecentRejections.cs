using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Plant;

/// <summary>The rejections of the last hour, counted once for all pages, and only while one asks.</summary>
internal sealed class RecentRejections : IDisposable
{
    /// <summary>More of them in an hour are not counted, so that a flood of them costs a page no more than that.</summary>
    public const int MaxCounted = 10_000;

    // Anybody may claim a name: those of factories without a key are in the sum, and mark no factory.
    private static readonly string Counts = $"""
        SELECT known_id, count(*), count(*) FILTER (WHERE rejected_at >= now() - interval '5 minutes')
        FROM (
            SELECT CASE WHEN NOT unknown_factory THEN factory_id END AS known_id, rejected_at
            FROM factory.rejections
            WHERE rejected_at >= now() - interval '1 hour'
            ORDER BY rejected_at DESC
            LIMIT {MaxCounted}) AS newest
        GROUP BY known_id
        """;

    private readonly NpgsqlDataSource database;
    private readonly SharedRead<RejectionCounts> shared;

    public RecentRejections(NpgsqlDataSource database, IOptions<DashboardOptions> options, TimeProvider time, DashboardLog log)
    {
        this.database = database;
        shared = new(ReadAsync, RejectionCounts.None, options.Value.LedgerInterval, log.RejectionsUnavailable, time);
    }

    /// <summary>The counts, at most <see cref="DashboardOptions.LedgerInterval"/> old, or why there are no newer ones.</summary>
    public async Task<RejectionCounts> GetAsync(CancellationToken cancellation)
    {
        var (counts, failure) = await shared.GetAsync(cancellation);
        return counts with { Failure = failure };
    }

    public void Dispose() => shared.Dispose();

    private async Task<RejectionCounts> ReadAsync(CancellationToken cancellation)
    {
        var (lastHour, recent) = (0L, new Dictionary<string, long>());
        await using var command = database.CreateCommand(Counts);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            lastHour += reader.GetInt64(1);
            if (!reader.IsDBNull(0) && reader.GetInt64(2) is > 0 and var count)
                recent.Add(reader.GetString(0), count);
        }
        return new(lastHour, recent, null);
    }
}

/// <summary>Refused and rejected lines of late.</summary>
/// <param name="LastHour">Of all factories, at most <see cref="RecentRejections.MaxCounted"/>.</param>
/// <param name="Recent">Of the last five minutes, by factory; only factories that have a key.</param>
/// <param name="Failure">Why these are not new; null: they are.</param>
internal sealed record RejectionCounts(long LastHour, IReadOnlyDictionary<string, long> Recent, string? Failure)
{
    public static readonly RejectionCounts None = new(0, new Dictionary<string, long>(), null);
}
