using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What a commit's transaction writes into <c>factory.engines</c> and <c>factory.engine_metrics</c>.</summary>
public static class EngineStatements
{
    /// <summary>States how far engines' windows are closed, which never moves back, and when they were written.</summary>
    /// <param name="engines">Each engine's number once, and the moment (UTC) up to which its windows are closed.</param>
    /// <param name="now">The wall clock's time, UTC.</param>
    public static NpgsqlBatchCommand CloseUntil(IReadOnlyList<(int EngineNo, DateTime ClosedUntil)> engines, DateTime now)
    {
        var command = new NpgsqlBatchCommand(
            """
            UPDATE factory.engines SET closed_until = greatest(engines.closed_until, closed.closed_until), windows_written_at = $3
            FROM unnest($1::int[], $2::timestamptz[]) AS closed (engine_no, closed_until)
            WHERE engines.engine_no = closed.engine_no
            """
        );
        command.Parameters.AddArray(NpgsqlDbType.Integer, engines.Select(engine => engine.EngineNo));
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, engines.Select(engine => engine.ClosedUntil));
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        return command;
    }

    /// <summary>Adds names of metrics that engines have brought for the first time; those that are there stay.</summary>
    /// <param name="metrics">Engine's number and metric's name.</param>
    public static NpgsqlBatchCommand AddMetrics(IReadOnlyList<(int EngineNo, string Metric)> metrics)
    {
        var command = new NpgsqlBatchCommand(
            "INSERT INTO factory.engine_metrics (engine_no, metric) SELECT * FROM unnest($1::int[], $2::text[]) ON CONFLICT DO NOTHING"
        );
        command.Parameters.AddArray(NpgsqlDbType.Integer, metrics.Select(entry => entry.EngineNo));
        command.Parameters.AddArray(NpgsqlDbType.Text, metrics.Select(entry => entry.Metric));
        return command;
    }
}
