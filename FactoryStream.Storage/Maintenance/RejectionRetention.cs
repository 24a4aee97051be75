using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>How many rejections are kept.</summary>
/// <param name="Days">Days that they are kept; null: for ever.</param>
/// <param name="MaxBytes">How many bytes of them are kept; null: any number.</param>
/// <param name="UnknownKeyDays">Days that those of reason <c>unknown_key</c> are kept whatever the other two say, the newest of them, up to
/// <see cref="UnknownKeyShare"/> of <paramref name="MaxBytes"/>; 0: they are as all others.</param>
public readonly record struct RejectionBounds(int? Days, long? MaxBytes, int UnknownKeyDays)
{
    /// <summary>Anybody may send lines that no key fits, so what is promised of them leaves room for the others.</summary>
    public const double UnknownKeyShare = 0.25;
}

/// <summary>
/// Rejections are kept by age and by size. What is dropped is counted in <c>factory.rejections_dropped</c>; the ledger's counts stay.
/// </summary>
public static class RejectionRetention
{
    /// <summary>What a rejection takes besides its line and detail, about; in bytes.</summary>
    public const int Overhead = 128;

    /// <summary>
    /// Drops some of the oldest rejections, in one transaction: those that are too old, and as many as are too much. None while another
    /// does it. The size is of what is kept, not of the table's file: that has room for the next ones when some are gone, and does not
    /// shrink.
    /// </summary>
    /// <param name="connection">Open, in no transaction.</param>
    /// <param name="now">UTC. Age is counted from this or from the newest rejection, whichever is earlier: a clock that runs ahead drops
    /// nothing.</param>
    /// <param name="bounds">What is kept.</param>
    /// <param name="most">How many rows at most in this transaction.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>How many rows; fewer than <paramref name="most"/> does not mean that none is left.</returns>
    public static async Task<long> DropAsync(
        NpgsqlConnection connection,
        DateTime now,
        RejectionBounds bounds,
        int most,
        CancellationToken cancellation
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var alone = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock(hashtext('factory.retention.rejections'))", connection);
        if (await alone.ExecuteScalarAsync(cancellation) is not true)
            return 0;
        await using var drop = new NpgsqlCommand(
            """
            WITH kept AS (
                SELECT (SELECT coalesce(sum(bytes), 0) FROM factory.rejection_counts)
                        - (SELECT coalesce(sum(bytes), 0) FROM factory.rejections_dropped) AS all_bytes,
                    (SELECT coalesce(sum(bytes), 0) FROM factory.rejection_counts WHERE reason = 'unknown_key')
                        - (SELECT coalesce(sum(bytes), 0) FROM factory.rejections_dropped WHERE reason = 'unknown_key') AS unknown_bytes,
                    least($1, (SELECT max(rejected_at) FROM factory.rejections)) AS until),
            known AS (
                SELECT rejection_no, rejected_at, octet_length(line) + coalesce(octet_length(detail), 0) + $4 AS bytes
                FROM factory.rejections WHERE reason <> 'unknown_key' ORDER BY rejected_at, rejection_no LIMIT $5),
            unknown AS (
                SELECT rejection_no, rejected_at, octet_length(line) + coalesce(octet_length(detail), 0) + $4 AS bytes
                FROM factory.rejections WHERE reason = 'unknown_key' ORDER BY rejected_at, rejection_no LIMIT $5),
            droppable AS (
                SELECT rejection_no, rejected_at, bytes, rejected_at < until - make_interval(days => $2) AS is_old FROM known, kept
                UNION ALL
                SELECT rejection_no, rejected_at, bytes,
                    rejected_at < until - make_interval(days => $2) AND rejected_at < until - make_interval(days => $6)
                FROM (
                    SELECT *, sum(bytes) OVER (ORDER BY rejected_at, rejection_no) - bytes AS older_bytes FROM unknown
                ) AS sized, kept
                WHERE $6 = 0 OR rejected_at < until - make_interval(days => $6) OR older_bytes < unknown_bytes - $7),
            oldest AS (
                SELECT rejection_no, is_old, bytes, sum(bytes) OVER (ORDER BY rejected_at, rejection_no) - bytes AS older_bytes
                FROM (SELECT * FROM droppable ORDER BY rejected_at, rejection_no LIMIT $5) AS first),
            gone AS (
                DELETE FROM factory.rejections AS r USING oldest, kept
                WHERE r.rejection_no = oldest.rejection_no AND (oldest.is_old OR oldest.older_bytes < kept.all_bytes - $3)
                RETURNING CASE WHEN r.unknown_factory THEN '' ELSE coalesce(r.factory_id, '') END AS factory_id,
                    r.reason, r.refused, r.readings, oldest.bytes),
            counted AS (
                INSERT INTO factory.rejections_dropped AS d (factory_id, reason, refused, lines, readings, bytes)
                SELECT factory_id, reason, refused, count(*), sum(readings), sum(bytes) FROM gone GROUP BY factory_id, reason, refused
                ON CONFLICT (factory_id, reason, refused) DO UPDATE SET
                    lines = d.lines + EXCLUDED.lines, readings = d.readings + EXCLUDED.readings, bytes = d.bytes + EXCLUDED.bytes)
            SELECT count(*) FROM gone
            """,
            connection
        );
        drop.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        drop.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Integer, Value = (object?)bounds.Days ?? DBNull.Value });
        drop.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (object?)bounds.MaxBytes ?? DBNull.Value });
        drop.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Overhead });
        drop.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        drop.Parameters.Add(new NpgsqlParameter<int> { TypedValue = bounds.UnknownKeyDays });
        drop.Parameters.Add(
            new NpgsqlParameter<long> { TypedValue = (long)((bounds.MaxBytes ?? long.MaxValue) * RejectionBounds.UnknownKeyShare) }
        );
        var lines = (long)(await drop.ExecuteScalarAsync(cancellation))!;
        await transaction.CommitAsync(cancellation);
        return lines;
    }
}
