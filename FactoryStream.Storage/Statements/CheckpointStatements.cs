using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>A step of a partition: from one offset to the next, under an epoch.</summary>
/// <param name="Topic">The topic's name in Kafka, e.g. <c>readings.verified</c>.</param>
/// <param name="Partition">The Kafka partition's number, from 0.</param>
/// <param name="Epoch">The epoch under which the owner acquired the partition.</param>
/// <param name="ExpectedOffset">The next offset that the checkpoint must have.</param>
/// <param name="NextOffset">The offset of the first message that is not taken in by this step.</param>
/// <param name="SourceTopicId">The topic id of the <c>readings.signed</c> that the source position is of.</param>
/// <param name="SourceOffset">The last message of <c>readings.signed</c> that is taken in; -1: none.</param>
/// <param name="SourceLine">The line in that message, from 0.</param>
public readonly record struct CheckpointStep(
    string Topic,
    int Partition,
    long Epoch,
    long ExpectedOffset,
    long NextOffset,
    string SourceTopicId,
    long SourceOffset,
    int SourceLine
);

/// <summary>The transaction was another owner's to make: a newer epoch or another offset stands in the checkpoint.</summary>
/// <param name="message">How many partitions have another owner.</param>
public sealed class FencedException(string message) : Exception(message);

/// <summary>What a commit's transaction writes into <c>factory.checkpoints</c>.</summary>
public static class CheckpointStatements
{
    /// <summary>
    /// Takes the partitions a step on, each only from the offset and under the epoch that are its own. To be the transaction's first
    /// statement: it also locks them.
    /// </summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="steps">One step for each partition, none twice.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="FencedException">One of them is another owner's by now.</exception>
    public static async Task AdvanceAsync(NpgsqlConnection connection, IReadOnlyList<CheckpointStep> steps, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE factory.checkpoints SET
                next_offset = step.next_offset, source_topic_id = step.source_topic_id,
                source_offset = step.source_offset, source_line = step.source_line
            FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::int[])
                AS step (topic, partition, epoch, expected, next_offset, source_topic_id, source_offset, source_line)
            WHERE checkpoints.topic = step.topic AND checkpoints.partition = step.partition
                AND checkpoints.epoch = step.epoch AND checkpoints.next_offset = step.expected
            """,
            connection
        );
        command.Parameters.AddArray(NpgsqlDbType.Text, steps.Select(step => step.Topic));
        command.Parameters.AddArray(NpgsqlDbType.Integer, steps.Select(step => step.Partition));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, steps.Select(step => step.Epoch));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, steps.Select(step => step.ExpectedOffset));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, steps.Select(step => step.NextOffset));
        command.Parameters.AddArray(NpgsqlDbType.Text, steps.Select(step => step.SourceTopicId));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, steps.Select(step => step.SourceOffset));
        command.Parameters.AddArray(NpgsqlDbType.Integer, steps.Select(step => step.SourceLine));
        var advanced = await command.ExecuteNonQueryAsync(cancellation);
        if (advanced != steps.Count)
            throw new FencedException($"{steps.Count - advanced} of {steps.Count} partitions have another owner now.");
    }
}
