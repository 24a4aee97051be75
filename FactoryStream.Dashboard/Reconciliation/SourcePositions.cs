using FactoryStream.Contracts;
using Npgsql;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>
/// How far <see cref="TopicNames.Signed"/> is stored, by partition: the id of the topic that was read, and the last offset that was
/// taken in. Written in the transaction that stored it.
/// </summary>
internal static class SourcePositions
{
    public const string Query = "SELECT partition, source_topic_id, source_offset FROM factory.checkpoints WHERE topic = $1";

    public static NpgsqlParameter Parameter => new NpgsqlParameter<string> { TypedValue = TopicNames.Verified };

    public static async Task<Dictionary<int, (string TopicId, long Offset)>> ReadAsync(
        NpgsqlDataReader reader,
        CancellationToken cancellation
    )
    {
        var taken = new Dictionary<int, (string, long)>();
        while (await reader.ReadAsync(cancellation))
            taken[reader.GetInt32(0)] = (reader.GetString(1), reader.GetInt64(2));
        return taken;
    }
}
