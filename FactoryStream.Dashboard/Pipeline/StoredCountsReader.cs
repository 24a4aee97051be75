using FactoryStream.Contracts;
using Npgsql;
using SourcePositions = FactoryStream.Dashboard.Reconciliation.SourcePositions;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>How far the database is, and what it has counted.</summary>
/// <param name="Next">Of the Aggregator's two topics: the topic's id and the first offset that is not taken in.</param>
/// <param name="Sources">The same of <see cref="TopicNames.Signed"/>, by partition: the last offset that is.</param>
/// <param name="Stored">Readings.</param>
/// <param name="Verdicts">By reason; the accepted ones first.</param>
internal sealed record StoredCounts(
    IReadOnlyDictionary<(string Topic, int Partition), (string TopicId, long Offset)> Next,
    IReadOnlyDictionary<int, (string TopicId, long Offset)> Sources,
    long Stored,
    IReadOnlyList<VerdictCount> Verdicts
)
{
    /// <summary>The first offset that is not taken in; 0 of a topic that was made anew.</summary>
    public long TakenInUntil(string topic, int partition, string topicId)
    {
        (string TopicId, long Offset) taken =
            topic != TopicNames.Signed ? Next.GetValueOrDefault((topic, partition))
            : Sources.TryGetValue(partition, out var source) ? (source.TopicId, source.Offset + 1)
            : default;
        return taken.TopicId == topicId ? taken.Offset : 0;
    }

    /// <summary>Messages of a topic that were ever taken in.</summary>
    public long TakenIn(string topic) => Next.Where(taken => taken.Key.Topic == topic).Sum(taken => taken.Value.Offset);
}

/// <summary>Reads checkpoints, ledger and rejections in one round trip.</summary>
internal sealed class StoredCountsReader(TimedSearch search)
{
    /// <summary>More rejections in a minute are not counted, so that a flood of them costs a page no more than that.</summary>
    private const int MaxCounted = 10_000;

    private static readonly string Rejections = $"""
        SELECT reason, refused, sum(last_minute)::bigint, sum(in_all)::bigint FROM (
            SELECT reason, refused, 0::bigint AS last_minute, count AS in_all FROM factory.rejection_counts
            UNION ALL
            SELECT reason, refused, readings::bigint, 0::bigint FROM (
                SELECT reason, refused, readings FROM factory.rejections
                WHERE rejected_at >= now() - interval '1 minute'
                ORDER BY rejected_at DESC
                LIMIT {MaxCounted}) AS newest
        ) AS counts
        GROUP BY reason, refused
        ORDER BY 4 DESC, reason, refused
        """;

    public Task<StoredCounts> ReadAsync(CancellationToken cancellation) =>
        search.RunAsync(connection => ReadAsync(connection, cancellation), "Try again later.", cancellation);

    private static async Task<StoredCounts> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SELECT topic, partition, topic_id, next_offset FROM factory.checkpoints"),
                new(SourcePositions.Query) { Parameters = { SourcePositions.Parameter } },
                new("SELECT coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicates), 0)::bigint FROM factory.ledger"),
                new(Rejections),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var next = new Dictionary<(string, int), (string, long)>();
        while (await reader.ReadAsync(cancellation))
            next[(reader.GetString(0), reader.GetInt32(1))] = (reader.GetString(2), reader.GetInt64(3));
        await reader.NextResultAsync(cancellation);
        var sources = await SourcePositions.ReadAsync(reader, cancellation);
        await reader.NextResultAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var (stored, duplicates) = (reader.GetInt64(0), reader.GetInt64(1));
        var verdicts = new List<VerdictCount> { new(Verdict.Accepted.ToName(), false, null, stored + duplicates) };
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            verdicts.Add(new(reader.GetString(0), reader.GetBoolean(1), reader.GetInt64(2), reader.GetInt64(3)));
        return new(next, sources, stored, verdicts);
    }
}
