using Npgsql;

namespace FactoryStream.Dashboard.Keys;

/// <summary>
/// Which keys engines sign with. Readings have no index by key, and there may be billions: so each engine's newest reading is looked at,
/// one row of an index, and what an engine signed with before that is not known.
/// </summary>
internal sealed class LastUsesReader(TimedSearch search, TimeProvider time)
{
    /// <summary>How far back an engine's newest reading is looked for.</summary>
    public const int Days = 30;

    /// <summary>The newest time of measurement among the engines' newest readings of these days, by key.</summary>
    public Task<Dictionary<string, DateTime>> ReadAsync(CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    """
                    SELECT key_id, max(newest.measured_at) FROM factory.engines AS engine
                    CROSS JOIN LATERAL (
                        SELECT key_no, measured_at FROM factory.readings
                        WHERE readings.engine_no = engine.engine_no AND measured_at > $1 ORDER BY measured_at DESC LIMIT 1) AS newest
                    JOIN factory.signing_keys USING (key_no)
                    GROUP BY key_id
                    """,
                    connection
                );
                command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime.AddDays(-Days));
                var uses = new Dictionary<string, DateTime>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                    uses[reader.GetString(0)] = reader.GetDateTime(1);
                return uses;
            },
            "There are too many engines to look at the newest reading of each; last uses are not shown.",
            cancellation
        );
}
