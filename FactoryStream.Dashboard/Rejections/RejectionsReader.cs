using FactoryStream.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Rejections;

/// <summary>
/// Which rejections are asked for (null: any), by when they were rejected: <c>From</c> inclusive, <c>To</c> exclusive; those behind
/// <c>After</c>, if that is given. The factory <c>unknown</c> is all that have no key or could not be read.
/// </summary>
internal readonly record struct RejectionsQuery(string? FactoryId, string? Reason, DateTime? From, DateTime? To, RowCursor? After = null);

/// <summary>Rejections, the newest first, and where the next page begins; null: there are no more.</summary>
internal sealed record RejectionsPage(List<Rejection> Rejections, RowCursor? Next);

/// <summary>Reads refused and rejected lines.</summary>
internal sealed class RejectionsReader(TimedSearch search)
{
    /// <summary>Rejections of a page when nobody says how many.</summary>
    public const int DefaultLimit = 100;

    private const string Advice = "Give factory_id, or a shorter time by from and to.";

    private const string Columns = """
        rejection_no, rejected_at, factory_id, unknown_factory, reason, refused, detail, source_partition, source_offset, source_line,
        readings, data_sha256, sha256(line), octet_length(line)
        """;

    /// <summary>The reasons that there are, by their names.</summary>
    public static IEnumerable<string> Reasons =>
        Enum.GetValues<Verdict>().Where(verdict => verdict != Verdict.Accepted).Select(verdict => verdict.ToName());

    /// <summary>The rejections, at most as many as allowed.</summary>
    public Task<RejectionsPage> ReadAsync(RejectionsQuery query, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    SELECT {Columns} FROM factory.rejections
                    WHERE ($1::text IS NULL
                            OR CASE WHEN $1 = $8 THEN unknown_factory OR factory_id IS NULL ELSE factory_id = $1 END)
                        AND ($2::text IS NULL OR reason = $2)
                        AND ($3::timestamptz IS NULL OR rejected_at >= $3) AND ($4::timestamptz IS NULL OR rejected_at < $4)
                        AND ($5::timestamptz IS NULL OR (rejected_at, rejection_no) < ($5, $6))
                    ORDER BY rejected_at DESC, rejection_no DESC
                    LIMIT $7
                    """,
                    connection
                );
                command.Parameters.AddRange(
                    new NpgsqlParameter[]
                    {
                        PagedRows.Nullable(NpgsqlDbType.Text, query.FactoryId),
                        PagedRows.Nullable(NpgsqlDbType.Text, query.Reason),
                        PagedRows.Nullable(NpgsqlDbType.TimestampTz, query.From),
                        PagedRows.Nullable(NpgsqlDbType.TimestampTz, query.To),
                        PagedRows.Nullable(NpgsqlDbType.TimestampTz, query.After?.Time),
                        PagedRows.Nullable(NpgsqlDbType.Bigint, query.After?.Number),
                        // One more tells whether there are more.
                        new NpgsqlParameter<long> { TypedValue = limit + 1L },
                        new NpgsqlParameter<string> { TypedValue = MessageHeaders.LedgerUnknown },
                    }
                );
                var (rejections, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
                return new RejectionsPage(rejections, isMore ? new(rejections[^1].RejectedAt, rejections[^1].Id) : null);
            },
            Advice,
            cancellation
        );

    /// <summary>One rejection with what is kept of its line; null: there is none of this id.</summary>
    public Task<(Rejection Rejection, byte[] Line)?> FindAsync(long id, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"SELECT {Columns}, line FROM factory.rejections WHERE rejection_no = $1",
                    connection
                );
                command.Parameters.AddWithValue(id);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                return await reader.ReadAsync(cancellation) ? (Of(reader), reader.GetFieldValue<byte[]>(14)) : ((Rejection, byte[])?)null;
            },
            Advice,
            cancellation
        );

    /// <summary>The newest rejection of each of these hashes of data, by the hash in hexadecimal digits.</summary>
    public Task<Dictionary<string, Rejection>> ReadNewestAsync(byte[][] dataHashes, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    SELECT {Columns} FROM unnest($1) AS wanted CROSS JOIN LATERAL (
                        SELECT * FROM factory.rejections WHERE data_sha256 = wanted ORDER BY rejection_no DESC LIMIT 1
                    ) AS newest
                    """,
                    connection
                );
                command.Parameters.AddWithValue(dataHashes);
                var rejections = new Dictionary<string, Rejection>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                {
                    var rejection = Of(reader);
                    rejections[rejection.DataSha256!] = rejection;
                }
                return rejections;
            },
            Advice,
            cancellation
        );

    private static Rejection Of(NpgsqlDataReader reader) =>
        new(
            reader.GetInt64(0),
            reader.GetDateTime(1),
            reader.IsDBNull(2) ? MessageHeaders.LedgerUnknown : reader.GetString(2),
            reader.GetBoolean(3),
            reader.GetString(4),
            reader.GetBoolean(5),
            reader.IsDBNull(6) ? null : reader.GetString(6),
            reader.IsDBNull(7) ? null : reader.GetInt32(7),
            reader.IsDBNull(8) ? null : reader.GetInt64(8),
            reader.IsDBNull(9) ? null : reader.GetInt32(9),
            reader.GetInt32(10),
            reader.IsDBNull(11) ? null : Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(11)),
            Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(12)),
            reader.GetInt32(13)
        );
}
