using Npgsql;

namespace FactoryStream.Storage;

/// <summary>What a transaction asks of its connection.</summary>
public static class ConnectionExtensions
{
    /// <summary>Executes statements in one round trip; without any, nothing is sent.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="commands">In their order.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
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
