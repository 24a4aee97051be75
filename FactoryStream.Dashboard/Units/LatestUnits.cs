using Npgsql;

namespace FactoryStream.Dashboard.Units;

/// <summary>The units and descriptions of all metrics, in memory for all pages.</summary>
internal sealed class LatestUnits(NpgsqlDataSource database) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private volatile MetricUnits current = MetricUnits.None;

    public MetricUnits Current => current;

    /// <summary>Reads them; one reading after the other, so that the newest is what stays.</summary>
    public async Task ReadAsync(CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            var described = new Dictionary<string, (string?, string?)>();
            await using var command = database.CreateCommand("SELECT name, unit, description FROM factory.metrics");
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                described.Add(
                    reader.GetString(0),
                    (reader.IsDBNull(1) ? null : reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2))
                );
            current = new(described);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
