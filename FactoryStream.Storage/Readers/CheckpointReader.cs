using Npgsql;

namespace FactoryStream.Storage;

/// <summary>Gives a partition to a new owner, with the checkpoint from which it goes on.</summary>
/// <param name="database">The database with the schema <c>factory</c>.</param>
public sealed class CheckpointReader(NpgsqlDataSource database)
{
    /// <summary>
    /// Raises the epoch of a partition's checkpoint and reads it. A checkpoint with another topic id begins anew at offset 0.
    /// </summary>
    /// <param name="topic">The topic's name in Kafka, e.g. <c>readings.verified</c>.</param>
    /// <param name="partition">The Kafka partition's number, from 0.</param>
    /// <param name="topicId">The topic's id, as Kafka writes it.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<CheckpointRow> AcquireAsync(string topic, int partition, string topicId, CancellationToken cancellation)
    {
        // A transaction of the former owner that holds the row is waited for; one that comes later finds the epoch changed.
        await using var command = database.CreateCommand(
            """
            INSERT INTO factory.checkpoints AS c (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset,
                source_line)
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
}
