using Npgsql;

namespace FactoryStream.Storage;

/// <summary>Windows are kept by step, a coarser one longer than a finer one, and none goes before it is rolled up.</summary>
public static class WindowRetention
{
    /// <summary>
    /// The start of the day before which all is rolled up and nothing is to be rolled up again, no later than that of a moment. What is
    /// dropped are whole days, so a minute, an hour and a day have all of their parts or none.
    /// </summary>
    /// <param name="connection">Open, in no transaction.</param>
    /// <param name="since">From when on windows are to be kept, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<DateTime> RolledUpBeforeAsync(NpgsqlConnection connection, DateTime since, CancellationToken cancellation)
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT least($1,
                (SELECT min(coalesce(rolled_until, 'epoch')) FROM factory.engines
                    WHERE closed_until > 'epoch' AND (rolled_until IS NULL OR rolled_until < closed_until)),
                (SELECT min(window_start) FROM factory.stale_minutes))
            """,
            connection
        );
        select.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = since });
        return WindowStep.Day.Floor((DateTime)(await select.ExecuteScalarAsync(cancellation))!);
    }

    /// <summary>Drops some of the windows of an hour that began before a moment.</summary>
    /// <param name="connection">Open, in no transaction.</param>
    /// <param name="before">The start of a day, UTC.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>How many; fewer than <paramref name="most"/>: none is left.</returns>
    public static async Task<int> DropHoursAsync(NpgsqlConnection connection, DateTime before, int most, CancellationToken cancellation)
    {
        await using var delete = new NpgsqlCommand(
            """
            DELETE FROM factory.engine_hours
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM factory.engine_hours WHERE window_start < $1 LIMIT $2))
            """,
            connection
        );
        delete.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = before });
        delete.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        return await delete.ExecuteNonQueryAsync(cancellation);
    }
}
