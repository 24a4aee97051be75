using Npgsql;

namespace FactoryStream.Storage;

/// <summary>What Kafka's retention took before it was taken in.</summary>
/// <param name="database">The database with the schema <c>factory</c>.</param>
public sealed class LossReader(NpgsqlDataSource database)
{
    /// <summary>The losses, ordered by topic and Kafka partition; partitions that lost nothing are left out.</summary>
    /// <param name="unacknowledgedOnly">True: counts only the messages that nobody has taken note of.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<List<LossEntry>> ReadAsync(bool unacknowledgedOnly, CancellationToken cancellation)
    {
        var losses = new List<LossEntry>();
        await using var command = database.CreateCommand(
            """
            SELECT topic, partition, messages - noted FROM factory.losses
            CROSS JOIN LATERAL (SELECT CASE WHEN $1 THEN acknowledged ELSE 0 END) AS of (noted)
            WHERE messages > noted ORDER BY topic, partition
            """
        );
        command.Parameters.AddWithValue(unacknowledgedOnly);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            losses.Add(new LossEntry(reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2)));
        return losses;
    }
}
