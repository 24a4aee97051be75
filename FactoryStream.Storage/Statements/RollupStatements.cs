using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What a roll-up works off: minutes that are complete, and minutes that were corrected since.</summary>
public static class RollupStatements
{
    /// <summary>Marks minutes of which a closed window is corrected by the transaction under way.</summary>
    /// <param name="connection">The connection of that transaction.</param>
    /// <param name="windows">The windows; only engine and start are looked at.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task MarkStaleAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<WindowTotals> windows,
        CancellationToken cancellation
    )
    {
        var minutes = windows.Select(window => (window.EngineNo, Start: WindowStep.Minute.Floor(window.WindowStart))).Distinct().ToArray();
        await using var insert = new NpgsqlCommand(
            "INSERT INTO factory.stale_minutes (engine_no, window_start) SELECT * FROM unnest($1::int[], $2::timestamptz[])",
            connection
        );
        insert.Parameters.AddArray(NpgsqlDbType.Integer, minutes.Select(minute => minute.EngineNo));
        insert.Parameters.AddArray(NpgsqlDbType.TimestampTz, minutes.Select(minute => minute.Start));
        await insert.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Takes marks away, the oldest first: those that come from here on stay for the next time.</summary>
    /// <param name="connection">The connection of the transaction that rolls these minutes up.</param>
    /// <param name="most">How many marks at most.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>The minutes, some perhaps more than once.</returns>
    public static async Task<List<EngineSpan>> TakeStaleAsync(NpgsqlConnection connection, int most, CancellationToken cancellation)
    {
        await using var delete = new NpgsqlCommand(
            """
            DELETE FROM factory.stale_minutes
            WHERE stale_no IN (SELECT stale_no FROM factory.stale_minutes ORDER BY stale_no LIMIT $1)
            RETURNING engine_no, window_start
            """,
            connection
        );
        delete.Parameters.AddWithValue(most);
        var minutes = new List<EngineSpan>();
        await using var reader = await delete.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var start = reader.GetDateTime(1);
            minutes.Add(new(reader.GetInt32(0), start, start + WindowStep.Minute.Length));
        }
        return minutes;
    }

    /// <summary>Engines with complete minutes that are not rolled up, those that are furthest behind first.</summary>
    /// <param name="connection">The connection of the transaction that rolls them up.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="expiredBefore">
    /// No reading from before this is taken in any more; null: any may be. An engine that fell idle within a minute leaves it, and its
    /// hour and day, incomplete, for more may come; when that is over, all of its last day is complete.
    /// </param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<List<DueEngine>> ReadDueAsync(
        NpgsqlConnection connection,
        int most,
        DateTime? expiredBefore,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT due.engine_no, due.rolled_until, due.until, first.window_start
            FROM (
                SELECT engine_no, rolled_until, until
                FROM factory.engines
                CROSS JOIN LATERAL (SELECT date_bin('1 day', closed_until, 'epoch') + interval '24 hours' AS next_day) AS day
                CROSS JOIN LATERAL (
                    SELECT CASE WHEN next_day <= $2 THEN next_day ELSE date_bin('1 minute', closed_until, 'epoch') END AS until) AS complete
                WHERE closed_until > 'epoch' AND coalesce(rolled_until, 'epoch') < until
                    AND (rolled_until IS NULL OR rolled_until < closed_until)
                ORDER BY rolled_until NULLS FIRST, engine_no
                LIMIT $1) AS due
            LEFT JOIN LATERAL (
                SELECT window_start FROM factory.engine_windows AS w
                WHERE w.engine_no = due.engine_no AND w.window_start >= coalesce(due.rolled_until, 'epoch') AND w.window_start < due.until
                ORDER BY w.window_start
                LIMIT 1) AS first ON true
            """,
            connection
        );
        select.Parameters.AddWithValue(most);
        select.Parameters.AddWithValue(NpgsqlDbType.TimestampTz, expiredBefore ?? (object)DBNull.Value);
        var engines = new List<DueEngine>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            engines.Add(
                new DueEngine(
                    reader.GetInt32(0),
                    reader.IsDBNull(1) ? null : reader.GetDateTime(1),
                    reader.GetDateTime(2),
                    reader.IsDBNull(3) ? null : reader.GetDateTime(3)
                )
            );
        }
        return engines;
    }

    /// <summary>Up to when engines are rolled up.</summary>
    /// <param name="connection">A connection, in a transaction or not.</param>
    /// <param name="engineNos">The engines' numbers.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>Those that are rolled up at all.</returns>
    public static async Task<Dictionary<int, DateTime>> ReadRolledUntilAsync(
        NpgsqlConnection connection,
        int[] engineNos,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(
            "SELECT engine_no, rolled_until FROM factory.engines WHERE engine_no = ANY ($1) AND rolled_until IS NOT NULL",
            connection
        );
        select.Parameters.AddWithValue(engineNos);
        var rolled = new Dictionary<int, DateTime>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            rolled.Add(reader.GetInt32(0), reader.GetDateTime(1));
        return rolled;
    }

    /// <summary>
    /// States up to when engines are rolled up. An engine whose row a commit is writing keeps its old time and is rolled up once more:
    /// a roll-up waits for no commit, so the two cannot wait for each other.
    /// </summary>
    /// <param name="connection">The connection of the transaction under way; this is its last statement.</param>
    /// <param name="engines">Each engine's number once, and the moment (UTC).</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task SetRolledUntilAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(int EngineNo, DateTime RolledUntil)> engines,
        CancellationToken cancellation
    )
    {
        await using var update = new NpgsqlCommand(
            """
            WITH free AS (SELECT engine_no FROM factory.engines WHERE engine_no = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
            UPDATE factory.engines SET rolled_until = rolled.rolled_until
            FROM unnest($1::int[], $2::timestamptz[]) AS rolled (engine_no, rolled_until) JOIN free USING (engine_no)
            WHERE engines.engine_no = rolled.engine_no
            """,
            connection
        );
        update.Parameters.AddArray(NpgsqlDbType.Integer, engines.Select(engine => engine.EngineNo));
        update.Parameters.AddArray(NpgsqlDbType.TimestampTz, engines.Select(engine => engine.RolledUntil));
        await update.ExecuteNonQueryAsync(cancellation);
    }
}

/// <summary>An engine with complete minutes that are not rolled up.</summary>
/// <param name="EngineNo">The engine's number.</param>
/// <param name="RolledUntil">Up to when it is rolled up; null: not at all.</param>
/// <param name="Until">Up to when its minutes are complete.</param>
/// <param name="FirstWindow">The start of its first window that is not rolled up; null: there is none before <c>Until</c>.</param>
public readonly record struct DueEngine(int EngineNo, DateTime? RolledUntil, DateTime Until, DateTime? FirstWindow);
