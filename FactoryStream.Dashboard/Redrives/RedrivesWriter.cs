using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>Begins and stops re-drives, each with its audit event. What they send, <see cref="RedriveWorker"/> sends.</summary>
internal sealed class RedrivesWriter(TimedSearch search, RedrivesReader reader)
{
    /// <summary>Most ids of a selection.</summary>
    public const int MaxIds = 1_000;

    // Both statements write the audit event with what they do, in the one role that it takes.
    private const string AuditEvent = "INSERT INTO factory.audit_events (who, role, action, subject, detail)";

    /// <summary>What is said where one cannot begin because another runs.</summary>
    public static string OneIsRunning(string factoryId) => $"A re-drive of factory {factoryId} is running; wait for its end, or stop it.";

    /// <summary>Begins a re-drive; null: one of this factory is running.</summary>
    public async Task<Redrive?> BeginAsync(RedriveSelection selection, string who, CancellationToken cancellation)
    {
        var matched = (await reader.PreviewAsync(selection, cancellation)).Matched;
        return await search.RunAsync(
            connection =>
                WriteAsync(
                    connection,
                    $"""
                    WITH begun AS (
                        INSERT INTO factory.redrives (factory_id, asked_by, selection, through_no, last_no, matched, sent, refused,
                            unavailable, readings, state)
                        SELECT $1, $2, $3, 0, (SELECT coalesce(max(rejection_no), 0) FROM factory.rejections),
                            $4, 0, 0, 0, 0, 'running'
                        ON CONFLICT (factory_id) WHERE state = 'running' DO NOTHING
                        RETURNING {RedrivesReader.Columns}),
                    told AS (
                        {AuditEvent}
                        SELECT $2, 'operator', 'redrive_begun', factory_id, format('re-drive %s of %s lines', redrive_no, matched)
                        FROM begun)
                    SELECT {RedrivesReader.Columns} FROM begun
                    """,
                    [
                        new NpgsqlParameter<string> { TypedValue = selection.FactoryId },
                        new NpgsqlParameter<string> { TypedValue = who },
                        new NpgsqlParameter
                        {
                            NpgsqlDbType = NpgsqlDbType.Jsonb,
                            Value = JsonSerializer.Serialize(selection, RedriveJson.Default.RedriveSelection),
                        },
                        new NpgsqlParameter<long> { TypedValue = matched },
                    ],
                    cancellation
                ),
            RedrivesReader.Advice,
            cancellation
        );
    }

    /// <summary>Stops a running re-drive: lines under way still arrive, no more are sent. False: none of this id runs.</summary>
    public async Task<bool> StopAsync(long id, string who, CancellationToken cancellation) =>
        await search.RunAsync(
            connection =>
                WriteAsync(
                    connection,
                    $"""
                    WITH ended AS (
                        UPDATE factory.redrives SET state = 'stopped', detail = NULL, ended_at = clock_timestamp()
                        WHERE redrive_no = $1 AND state = 'running'
                        RETURNING {RedrivesReader.Columns}),
                    told AS (
                        {AuditEvent}
                        SELECT $2, 'operator', 'redrive_stopped', factory_id,
                            format('re-drive %s after %s of %s lines', redrive_no, sent + refused + unavailable, matched)
                        FROM ended)
                    SELECT {RedrivesReader.Columns} FROM ended
                    """,
                    [new NpgsqlParameter<long> { TypedValue = id }, new NpgsqlParameter<string> { TypedValue = who }],
                    cancellation
                ),
            "Try again later.",
            cancellation
        )
            is not null;

    private static async Task<Redrive?> WriteAsync(
        NpgsqlConnection connection,
        string sql,
        NpgsqlParameter[] parameters,
        CancellationToken cancellation
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        return await rows.ReadAsync(cancellation) ? RedrivesReader.Of(rows) : null;
    }
}
