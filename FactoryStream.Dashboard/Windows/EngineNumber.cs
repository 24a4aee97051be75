using Npgsql;

namespace FactoryStream.Dashboard.Windows;

/// <summary>The number by which windows and readings name an engine.</summary>
internal static class EngineNumber
{
    /// <summary>The engine's number; null: there is no such engine.</summary>
    public static async Task<int?> FindAsync(NpgsqlConnection connection, string factoryId, string engineId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT engine_no FROM factory.engines WHERE factory_id = $1 AND engine_id = $2",
            connection
        );
        command.Parameters.AddWithValue(factoryId);
        command.Parameters.AddWithValue(engineId);
        return (int?)await command.ExecuteScalarAsync(cancellation);
    }
}
