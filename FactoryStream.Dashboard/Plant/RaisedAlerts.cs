using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Plant;

/// <summary>The engines with raised alerts, and how bad the worst of each is.</summary>
internal sealed class RaisedAlerts : IDisposable
{
    /// <summary>More engines are not marked, so that a flood of alerts costs a page no more than that.</summary>
    private const int MaxEngines = 20_000;

    private static readonly string Worst = $"""
        SELECT engine_no, bool_or(severity = 'alarm')
        FROM factory.alerts WHERE state = 'raised' AND engine_no IS NOT NULL
        GROUP BY engine_no
        LIMIT {MaxEngines}
        """;

    private readonly NpgsqlDataSource database;
    private readonly SharedRead<IReadOnlyDictionary<int, AlertSeverity>> shared;

    public RaisedAlerts(NpgsqlDataSource database, IOptions<DashboardOptions> options, TimeProvider time, DashboardLog log)
    {
        this.database = database;
        shared = new(ReadAsync, new Dictionary<int, AlertSeverity>(), options.Value.LedgerInterval, log.AlertsUnavailable, time);
    }

    /// <summary>
    /// By the engine's number, at most <see cref="DashboardOptions.LedgerInterval"/> old, or why there are no newer ones.
    /// </summary>
    public Task<(IReadOnlyDictionary<int, AlertSeverity> Value, string? Failure)> GetAsync(CancellationToken cancellation) =>
        shared.GetAsync(cancellation);

    public void Dispose() => shared.Dispose();

    private async Task<IReadOnlyDictionary<int, AlertSeverity>> ReadAsync(CancellationToken cancellation)
    {
        var engines = new Dictionary<int, AlertSeverity>();
        await using var command = database.CreateCommand(Worst);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            engines.Add(reader.GetInt32(0), reader.GetBoolean(1) ? AlertSeverity.Alarm : AlertSeverity.Warning);
        return engines;
    }
}
