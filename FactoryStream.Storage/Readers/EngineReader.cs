using Npgsql;

namespace FactoryStream.Storage;

/// <summary>The engines that an owner of partitions works with, and what their windows are rebuilt from.</summary>
/// <param name="database">The database with the schema <c>factory</c>.</param>
public sealed class EngineReader(NpgsqlDataSource database)
{
    /// <summary>Every engine of every factory, in no order.</summary>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<List<EngineRow>> EnginesAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("SELECT engine_no, factory_id, engine_id, closed_until FROM factory.engines");
        return await ReadEnginesAsync(command, cancellation);
    }

    /// <summary>The numbers of engines, given in the list's order to those that had none, as far as their factory's bound allows.</summary>
    /// <param name="engines">The engines that are wanted, each once.</param>
    /// <param name="maxPerFactory">How many engines a factory may have.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>Engines that had none, and engines that are known of old; those that are beyond the bound are in neither.</returns>
    public async Task<(List<EngineRow> Added, List<EngineRow> Known)> EnsureEnginesAsync(
        IReadOnlyCollection<(string FactoryId, string EngineId)> engines,
        int maxPerFactory,
        CancellationToken cancellation
    )
    {
        string[] factoryIds = [.. engines.Select(engine => engine.FactoryId)],
            engineIds = [.. engines.Select(engine => engine.EngineId)];
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // A factory's engines are in many partitions, so several may count and add at once.
        await using (var alone = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtext('factory.engines'))", connection))
            await alone.ExecuteNonQueryAsync(cancellation);
        await using var insert = new NpgsqlCommand(
            """
            WITH new_engines AS (
                SELECT factory_id, engine_id, place, row_number() OVER (PARTITION BY factory_id ORDER BY place) AS nth
                FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (factory_id, engine_id, place)
                WHERE NOT EXISTS (
                    SELECT FROM factory.engines WHERE engines.factory_id = wanted.factory_id AND engines.engine_id = wanted.engine_id)),
            places_left AS (
                SELECT factory_id, $3 - (SELECT count(*) FROM factory.engines WHERE engines.factory_id = of.factory_id) AS places
                FROM (SELECT DISTINCT factory_id FROM new_engines) AS of)
            INSERT INTO factory.engines (factory_id, engine_id)
            SELECT factory_id, engine_id FROM new_engines JOIN places_left USING (factory_id) WHERE nth <= places ORDER BY place
            ON CONFLICT DO NOTHING
            RETURNING engine_no, factory_id, engine_id, closed_until
            """,
            connection
        );
        insert.Parameters.AddWithValue(factoryIds);
        insert.Parameters.AddWithValue(engineIds);
        insert.Parameters.AddWithValue((long)maxPerFactory);
        var added = await ReadEnginesAsync(insert, cancellation);
        await transaction.CommitAsync(cancellation);
        if (added.Count == engines.Count)
            return (added, []);
        await using var command = new NpgsqlCommand(
            """
            SELECT engine_no, factory_id, engine_id, closed_until
            FROM factory.engines JOIN unnest($1::text[], $2::text[]) AS wanted (factory_id, engine_id) USING (factory_id, engine_id)
            """,
            connection
        );
        command.Parameters.AddWithValue(factoryIds);
        command.Parameters.AddWithValue(engineIds);
        var isAdded = added.Select(row => row.EngineNo).ToHashSet();
        return (added, (await ReadEnginesAsync(command, cancellation)).FindAll(row => !isAdded.Contains(row.EngineNo)));
    }

    /// <summary>The names of metrics that engines have brought.</summary>
    /// <param name="engineNos">The numbers of the engines.</param>
    /// <param name="each">Called for each name with the engine's number and the name.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task MetricsAsync(int[] engineNos, Action<int, string> each, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("SELECT engine_no, metric FROM factory.engine_metrics WHERE engine_no = ANY ($1)");
        command.Parameters.AddWithValue(engineNos);
        // Ten thousand engines may share seven names.
        var names = new Dictionary<string, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var name = reader.GetString(1);
            if (!names.TryAdd(name, name))
                name = names[name];
            each(reader.GetInt32(0), name);
        }
    }

    /// <summary>The stored readings of engines since each one's last closed window, each engine's in the order of their time.</summary>
    /// <param name="engines">The engines, each with the moment up to which its windows are closed.</param>
    /// <param name="each">Called for each reading with engine's number, event time (UTC), SHA-256 and bytes of its data.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task OpenReadingsAsync(
        IReadOnlyList<EngineRow> engines,
        Action<int, DateTime, byte[], byte[]> each,
        CancellationToken cancellation
    )
    {
        // OFFSET 0 keeps it an index scan for each engine: the planner knows nothing of e.since and would rather read the whole table.
        await using var command = database.CreateCommand(
            """
            SELECT r.engine_no, r.measured_at, r.data_sha256, convert_to(r.data::text, 'UTF8')
            FROM unnest($1::int[], $2::timestamptz[]) AS e (engine_no, since)
            CROSS JOIN LATERAL (
                SELECT * FROM factory.readings WHERE readings.engine_no = e.engine_no AND readings.measured_at >= e.since
                ORDER BY measured_at OFFSET 0) AS r
            """
        );
        command.CommandTimeout = 0;
        command.Parameters.AddWithValue(engines.Select(engine => engine.EngineNo).ToArray());
        command.Parameters.AddWithValue(engines.Select(engine => engine.ClosedUntil ?? DateTime.UnixEpoch).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            each(reader.GetInt32(0), reader.GetDateTime(1), reader.GetFieldValue<byte[]>(2), reader.GetFieldValue<byte[]>(3));
    }

    private static async Task<List<EngineRow>> ReadEnginesAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        var engines = new List<EngineRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            engines.Add(
                new EngineRow
                {
                    EngineNo = reader.GetInt32(0),
                    FactoryId = reader.GetString(1),
                    EngineId = reader.GetString(2),
                    ClosedUntil = reader.IsDBNull(3) ? null : reader.GetDateTime(3),
                }
            );
        }
        return engines;
    }
}
