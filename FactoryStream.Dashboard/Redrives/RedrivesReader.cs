using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>Reads re-drives, and what one would send.</summary>
internal sealed class RedrivesReader(TimedSearch search)
{
    /// <summary>Re-drives of a page when nobody says how many.</summary>
    public const int DefaultLimit = 100;

    internal const string Columns = """
        redrive_no, factory_id, asked_by, asked_at, selection, matched, sent, refused, unavailable, readings, state, detail, ended_at
        """;

    internal const string Advice = "Give a reason, or a shorter time by from and to.";

    /// <summary>Re-drives, the newest first, and where the next page begins; null: there are no more.</summary>
    public Task<(List<Redrive> Redrives, RowCursor? Next)> ReadAsync(RowCursor? after, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"SELECT {Columns} FROM factory.redrives WHERE $1::bigint IS NULL OR redrive_no < $1 ORDER BY redrive_no DESC LIMIT $2",
                    connection
                );
                command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Bigint, after?.Number));
                // One more tells whether there are more.
                command.Parameters.AddWithValue(limit + 1);
                var (redrives, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
                return (redrives, isMore ? new RowCursor(redrives[^1].AskedAt, redrives[^1].Id) : null);
            },
            "Ask for fewer.",
            cancellation
        );

    /// <summary>One re-drive; null: there is none of this id.</summary>
    public Task<Redrive?> FindAsync(long id, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand($"SELECT {Columns} FROM factory.redrives WHERE redrive_no = $1", connection);
                command.Parameters.AddWithValue(id);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                return await reader.ReadAsync(cancellation) ? Of(reader) : null;
            },
            "Try again later.",
            cancellation
        );

    /// <summary>What a re-drive of a selection would send now.</summary>
    public Task<RedrivePreview> PreviewAsync(RedriveSelection selection, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                // An engine stands in the line alone, so only for one are the lines themselves read.
                await using var command = new NpgsqlCommand(
                    selection.EngineId is null
                        ? $"""
                        SELECT reason, count(*), sum(readings)::bigint, count(*) FILTER (WHERE {SelectedRejections.IsUnavailable}),
                            ''::bytea
                        FROM factory.rejections WHERE {SelectedRejections.Condition} GROUP BY reason
                        """
                        : $"""
                        SELECT reason, 1::bigint, readings::bigint, 0::bigint, line
                        FROM factory.rejections
                        WHERE {SelectedRejections.Condition} AND NOT {SelectedRejections.IsUnavailable}
                        """,
                    connection
                );
                command.Parameters.AddRange(SelectedRejections.Parameters(selection));
                var ofEngine = new EngineLines(selection.EngineId);
                var (matched, readings, unavailable) = (0L, 0L, 0L);
                var byReason = new SortedDictionary<string, long>(StringComparer.Ordinal);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                {
                    if (!ofEngine.Has(reader.GetFieldValue<byte[]>(4)))
                        continue;
                    var (reason, lines) = (reader.GetString(0), reader.GetInt64(1));
                    byReason[reason] = byReason.GetValueOrDefault(reason) + lines;
                    matched += lines;
                    readings += reader.GetInt64(2);
                    unavailable += reader.GetInt64(3);
                }
                return new RedrivePreview(matched, readings, unavailable, byReason);
            },
            Advice,
            cancellation
        );

    internal static Redrive Of(NpgsqlDataReader reader) =>
        new(
            reader.GetInt64(0),
            reader.GetString(1),
            reader.GetString(2),
            reader.GetDateTime(3),
            JsonSerializer.Deserialize(reader.GetString(4), RedriveJson.Default.RedriveSelection)!,
            reader.GetInt64(5),
            reader.GetInt64(6),
            reader.GetInt64(7),
            reader.GetInt64(8),
            reader.GetInt64(9),
            reader.GetString(10),
            reader.IsDBNull(11) ? null : reader.GetString(11),
            reader.IsDBNull(12) ? null : reader.GetDateTime(12)
        );
}
