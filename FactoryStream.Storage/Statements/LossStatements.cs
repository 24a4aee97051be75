using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>Messages of a partition that retention took before they were taken in.</summary>
/// <param name="Topic">The topic's name in Kafka, e.g. <c>readings.signed</c>.</param>
/// <param name="Partition">The Kafka partition's number, from 0.</param>
/// <param name="Messages">How many messages, at least 1.</param>
public readonly record struct LossEntry(string Topic, int Partition, long Messages);

/// <summary>What a commit's transaction writes into <c>factory.losses</c>.</summary>
public static class LossStatements
{
    /// <summary>What retention took before it was taken in: in no factory's ledger, for nobody knows whose it was.</summary>
    /// <param name="losses">Each topic and partition once.</param>
    public static NpgsqlBatchCommand Add(IReadOnlyList<LossEntry> losses)
    {
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.losses AS l (topic, partition, messages)
            SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
            ON CONFLICT (topic, partition) DO UPDATE SET messages = l.messages + EXCLUDED.messages
            """
        );
        command.Parameters.AddArray(NpgsqlDbType.Text, losses.Select(loss => loss.Topic));
        command.Parameters.AddArray(NpgsqlDbType.Integer, losses.Select(loss => loss.Partition));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, losses.Select(loss => loss.Messages));
        return command;
    }
}
