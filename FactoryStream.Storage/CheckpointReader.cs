using Npgsql;

namespace FactoryStream.Storage;

/// <summary>
/// What an owner needs when it is given partitions: their checkpoints, and their engines' readings that no closed window has yet.
/// </summary>
public sealed class CheckpointReader(NpgsqlDataSource database)
{
    /// <summary>
    /// Raises the epoch of a partition's checkpoint and reads it. A checkpoint of another incarnation of the topic begins anew at offset 0.
    /// </summary>
    public async Task<CheckpointRow> AcquireAsync(string topic, int partition, string topicId, CancellationToken cancellation)
    {
        // A transaction of the former owner that holds the row is waited for; one that comes later finds the epoch changed.
        await using var command = database.CreateCommand(
            """
            INSERT INTO factory.checkpoints AS c (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset, source_line)
            VALUES ($1, $2, 1, $3, 0, '', -1, 0)
            ON CONFLICT (topic, partition) DO UPDATE SET
                epoch = c.epoch + 1,
                next_offset = CASE WHEN c.topic_id = EXCLUDED.topic_id THEN c.next_offset ELSE 0 END,
                topic_id = EXCLUDED.topic_id
            RETURNING epoch, next_offset, source_topic_id, source_offset, source_line
            """
        );
        command.Parameters.AddWithValue(topic);
        command.Parameters.AddWithValue(partition);
        command.Parameters.AddWithValue(topicId);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new CheckpointRow
        {
            Topic = topic,
            Partition = partition,
            TopicId = topicId,
            Epoch = reader.GetInt64(0),
            NextOffset = reader.GetInt64(1),
            SourceTopicId = reader.GetString(2),
            SourceOffset = reader.GetInt64(3),
            SourceLine = reader.GetInt32(4),
        };
    }

    /// <summary>Every engine there is.</summary>
    public async Task<List<EngineRow>> EnginesAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("SELECT engine_no, factory_id, engine_id, closed_until FROM factory.engines");
        return await ReadEnginesAsync(command, cancellation);
    }

    /// <summary>The numbers of engines, given in the list's order to those that had none, as far as their factory's bound allows.</summary>
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
            WITH fresh AS (
                SELECT factory_id, engine_id, place, row_number() OVER (PARTITION BY factory_id ORDER BY place) AS nth
                FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (factory_id, engine_id, place)
                WHERE NOT EXISTS (
                    SELECT FROM factory.engines WHERE engines.factory_id = wanted.factory_id AND engines.engine_id = wanted.engine_id)),
            room AS (
                SELECT factory_id, $3 - (SELECT count(*) FROM factory.engines WHERE engines.factory_id = of.factory_id) AS places
                FROM (SELECT DISTINCT factory_id FROM fresh) AS of)
            INSERT INTO factory.engines (factory_id, engine_id)
            SELECT factory_id, engine_id FROM fresh JOIN room USING (factory_id) WHERE nth <= places ORDER BY place
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
            SELECT engine_no, factory_id, engine_id, closed_until FROM factory.engines JOIN unnest($1::text[], $2::text[]) AS wanted (factory_id, engine_id) USING (factory_id, engine_id)
            """,
            connection
        );
        command.Parameters.AddWithValue(factoryIds);
        command.Parameters.AddWithValue(engineIds);
        var isAdded = added.Select(row => row.EngineNo).ToHashSet();
        return (added, (await ReadEnginesAsync(command, cancellation)).FindAll(row => !isAdded.Contains(row.EngineNo)));
    }

    /// <summary>The names of metrics that engines have brought.</summary>
    /// <param name="engineNos">Whose.</param>
    /// <param name="each">Engine number, name.</param>
    /// <param name="cancellation">Ends the reading.</param>
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

    /// <summary>The numbers of signing keys by their ids.</summary>
    public async Task<Dictionary<string, int>> KeysAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("SELECT key_id, key_no FROM factory.signing_keys");
        var keys = new Dictionary<string, int>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            keys[reader.GetString(0)] = reader.GetInt32(1);
        return keys;
    }

    /// <summary>Which of these factories have a key, whatever became of it.</summary>
    public async Task<List<string>> EnrolledAsync(IReadOnlyCollection<string> factoryIds, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "SELECT DISTINCT factory_id FROM factory.signing_keys WHERE factory_id = ANY ($1)"
        );
        command.Parameters.AddWithValue(factoryIds.ToArray());
        var enrolled = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            enrolled.Add(reader.GetString(0));
        return enrolled;
    }

    /// <summary>The stored readings of engines since each one's last closed window, each engine's in the order of their time.</summary>
    /// <param name="engines">Whose.</param>
    /// <param name="each">Engine number, time, SHA-256, data bytes.</param>
    /// <param name="cancellation">Ends the reading.</param>
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
