using System.Text;
using FactoryStream.Dashboard.Windows;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Readings;

/// <summary>
/// Which readings of an engine are asked for (null: of any time), <c>From</c> inclusive, <c>To</c> exclusive; those behind <c>After</c>, if
/// that is given.
/// </summary>
internal readonly record struct ReadingsQuery(
    string FactoryId,
    string EngineId,
    DateTime? From,
    DateTime? To,
    ReadingsCursor? After = null
);

/// <summary>Readings, the newest first, and where the next page begins; null: there are no more.</summary>
internal sealed record ReadingsPage(List<ReadingEvidence> Readings, ReadingsCursor? Next);

/// <summary>Reads one engine's stored readings with their evidence.</summary>
internal sealed class ReadingsReader(TimedSearch search)
{
    /// <summary>Readings of a page when nobody says how many.</summary>
    public const int DefaultLimit = 100;

    private const string Advice = "Give a shorter time by from and to.";

    // The engine's own stretch of the primary key, backwards: hardly more is read than the page holds. The engine's number and the bounds
    // are parameters, so that the planner leaves out all other table partitions.
    private const string Page = $"""
        SELECT reading.measured_at, reading.verdict_at, key_id, reading.data_sha256, reading.data, reading.signature, reading.batch_sha256,
            closed.revision
        FROM (
            SELECT * FROM factory.readings
            WHERE engine_no = $1 AND measured_at >= $2 AND measured_at < $3
                AND ($4::timestamptz IS NULL OR (measured_at, data_sha256) < ($4, $5))
            ORDER BY measured_at DESC, data_sha256 DESC
            LIMIT $6
        ) AS reading
        JOIN factory.signing_keys USING (key_no)
        {ReadingWindow.Join}
        ORDER BY reading.measured_at DESC, reading.data_sha256 DESC
        """;

    /// <summary>The readings, at most as many as allowed.</summary>
    /// <exception cref="SearchTooLongException">The database takes too long.</exception>
    public Task<ReadingsPage> ReadAsync(ReadingsQuery query, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                if (await EngineNumber.FindAsync(connection, query.FactoryId, query.EngineId, cancellation) is not { } engineNo)
                    return new ReadingsPage([], null);
                await using var command = new NpgsqlCommand(Page, connection);
                var hash = query.After is { } after ? Convert.FromHexString(after.DataSha256) : [];
                command.Parameters.AddWithValue(engineNo);
                command.Parameters.AddWithValue(query.From ?? DateTime.UnixEpoch);
                command.Parameters.AddWithValue(query.To ?? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
                command.Parameters.AddWithValue(NpgsqlDbType.TimestampTz, query.After?.MeasuredAt ?? (object)DBNull.Value);
                command.Parameters.AddWithValue(hash);
                // One more tells whether there are more.
                command.Parameters.AddWithValue(limit + 1L);
                var (readings, isMore) = await command.ReadPageAsync(limit, reader => Of(reader, query), cancellation);
                return new ReadingsPage(readings, isMore ? ReadingsCursor.Behind(readings[^1]) : null);
            },
            Advice,
            cancellation
        );

    private static ReadingEvidence Of(NpgsqlDataReader reader, in ReadingsQuery query) =>
        new(
            query.FactoryId,
            query.EngineId,
            reader.GetDateTime(0),
            // A window that no late reading corrected has none.
            reader.IsDBNull(7)
            || reader.GetInt32(7) > 0
                ? null
                : false,
            reader.GetDateTime(1),
            reader.GetString(2),
            Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(3)),
            Convert.ToBase64String(Encoding.UTF8.GetBytes(reader.GetString(4))),
            reader.IsDBNull(5) ? null : Convert.ToBase64String(reader.GetFieldValue<byte[]>(5)),
            reader.IsDBNull(6) ? null : Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(6))
        );
}
