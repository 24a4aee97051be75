using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>What a transaction asks of its connection.</summary>
internal static class ConnectionExtensions
{
    /// <summary>Executes statements in one round trip; none is none.</summary>
    public static async Task ExecuteAsync(
        this NpgsqlConnection connection,
        IEnumerable<NpgsqlBatchCommand> commands,
        CancellationToken cancellation
    )
    {
        await using var statements = new NpgsqlBatch(connection);
        foreach (var command in commands)
            statements.BatchCommands.Add(command);
        if (statements.BatchCommands.Count > 0)
            await statements.ExecuteNonQueryAsync(cancellation);
    }
}
