using Npgsql;

namespace FactoryStream.Storage;

/// <summary>How far one Kafka partition has been taken in.</summary>
/// <param name="Topic">The topic's name in Kafka, e.g. <c>readings.verified</c>.</param>
/// <param name="Partition">The partition's number, from 0.</param>
/// <param name="NextOffset">The first offset that has not been taken in.</param>
public readonly record struct TakenUntil(string Topic, int Partition, long NextOffset);

/// <summary>
/// Over how many Kafka partitions engines are spread (<c>factory.topics</c>), kept beside the checkpoints. More partitions move engines to
/// others: while an engine has readings on the way in the one and in the other, its windows are in two states at once. So the number
/// changes only when nothing is on its way.
/// </summary>
/// <param name="database">The database with the schema <c>factory</c>.</param>
public sealed class RecordedPartitionCounts(NpgsqlDataSource database)
{
    /// <summary>The number that counts; of a topic that is not recorded yet, or has another id by now, the one it has.</summary>
    /// <param name="topic">The topic's name in Kafka, e.g. <c>readings.verified</c>.</param>
    /// <param name="topicId">The topic's id, as Kafka writes it.</param>
    /// <param name="partitions">How many partitions the topic has in Kafka.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<int> EnsureAsync(string topic, string topicId, int partitions, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            INSERT INTO factory.topics AS t (topic, topic_id, partitions) VALUES ($1, $2, $3)
            ON CONFLICT (topic) DO UPDATE SET
                topic_id = EXCLUDED.topic_id,
                partitions = CASE WHEN t.topic_id = EXCLUDED.topic_id THEN t.partitions ELSE EXCLUDED.partitions END
            RETURNING partitions
            """
        );
        command.Parameters.AddWithValue(topic);
        command.Parameters.AddWithValue(topicId);
        command.Parameters.AddWithValue(partitions);
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>How far each partition of the three topics has been taken in, as far as that is known under these topic ids.</summary>
    /// <param name="signed">The name of <c>readings.signed</c>, which source positions are of.</param>
    /// <param name="verified">The name of <c>readings.verified</c>, whose checkpoints hold source positions.</param>
    /// <param name="topicIds">Each topic's id, by the topic's name.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<List<TakenUntil>> TakenAsync(
        string signed,
        string verified,
        IReadOnlyDictionary<string, string> topicIds,
        CancellationToken cancellation
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await TakenAsync(connection, signed, verified, topicIds, cancellation);
    }

    /// <summary>
    /// Records new numbers, if all is taken in. Every checkpoint's epoch goes up with it, so that whoever still works by the old ones is
    /// fenced.
    /// </summary>
    /// <param name="signed">The name of <c>readings.signed</c>, which source positions are of.</param>
    /// <param name="verified">The name of <c>readings.verified</c>, whose checkpoints hold source positions.</param>
    /// <param name="topicIds">Each topic's id, by the topic's name.</param>
    /// <param name="partitions">The new number of partitions, the same for each topic.</param>
    /// <param name="isTaken">Asked when no transaction can move a checkpoint any more; false: nothing changes.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>What <paramref name="isTaken"/> said.</returns>
    public async Task<bool> ChangeAsync(
        string signed,
        string verified,
        IReadOnlyDictionary<string, string> topicIds,
        int partitions,
        Func<IReadOnlyList<TakenUntil>, Task<bool>> isTaken,
        CancellationToken cancellation
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using (var fence = new NpgsqlCommand("UPDATE factory.checkpoints SET epoch = epoch + 1", connection))
            await fence.ExecuteNonQueryAsync(cancellation);
        if (!await isTaken(await TakenAsync(connection, signed, verified, topicIds, cancellation)))
            return false;
        await using var change = new NpgsqlCommand(
            """
            INSERT INTO factory.topics (topic, topic_id, partitions)
            SELECT topic, topic_id, $3 FROM unnest($1::text[], $2::text[]) AS entry (topic, topic_id)
            ON CONFLICT (topic) DO UPDATE SET topic_id = EXCLUDED.topic_id, partitions = EXCLUDED.partitions
            """,
            connection
        );
        change.Parameters.AddWithValue(topicIds.Keys.ToArray());
        change.Parameters.AddWithValue(topicIds.Values.ToArray());
        change.Parameters.AddWithValue(partitions);
        await change.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    private static async Task<List<TakenUntil>> TakenAsync(
        NpgsqlConnection connection,
        string signed,
        string verified,
        IReadOnlyDictionary<string, string> topicIds,
        CancellationToken cancellation
    )
    {
        var taken = new List<TakenUntil>();
        await using var command = new NpgsqlCommand(
            "SELECT topic, partition, topic_id, next_offset, source_topic_id, source_offset FROM factory.checkpoints",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var (topic, partition) = (reader.GetString(0), reader.GetInt32(1));
            if (topicIds.GetValueOrDefault(topic) == reader.GetString(2))
                taken.Add(new TakenUntil(topic, partition, reader.GetInt64(3)));
            if (topic == verified && topicIds.GetValueOrDefault(signed) == reader.GetString(4))
                taken.Add(new TakenUntil(signed, partition, reader.GetInt64(5) + 1));
        }
        return taken;
    }
}
