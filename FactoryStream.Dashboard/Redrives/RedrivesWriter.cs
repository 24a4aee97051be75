using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>Begins and stops re-drives, each with its audit event. What they send, <see cref="RedriveWorker"/> sends.</summary>
internal sealed class RedrivesWriter(TimedSearch search)
{
    /// <summary>Most ids of a selection.</summary>
    public const int MaxIds = 1_000;

    // Both statements write the audit event with what they do, in the one role that it takes.
    private const string AuditEvent = "INSERT INTO factory.audit_events (who, role, action, subject, detail)";

    /// <summary>What is said where one cannot begin because another runs.</summary>
    public static string OneIsRunning(string factoryId) => $"A re-drive of factory {factoryId} is running; wait for its end, or stop it.";

    /// <summary>Begins a re-drive; null: one of this factory is running.</summary>
    public Task<Redrive?> BeginAsync(RedriveSelection selection, string who, CancellationToken cancellation) =>
        search.RunAsync(
            connection =>
                WriteAsync(
                    connection,
                    $"""
                    WITH begun AS (
                        INSERT INTO factory.redrives (factory_id, asked_by, selection, through_no, last_no, matched, sent, refused,
                            unavailable, readings, state)
                        SELECT $1, $9, $10, 0, (SELECT coalesce(max(rejection_no), 0) FROM factory.rejections),
                            (SELECT count(*) FROM factory.rejections WHERE {SelectedRejections.Condition}), 0, 0, 0, 0, 'running'
                        ON CONFLICT (factory_id) WHERE state = 'running' DO NOTHING
                        RETURNING {RedrivesReader.Columns}),
                    told AS (
                        {AuditEvent}
                        SELECT $9, 'operator', 'redrive_begun', factory_id, format('re-drive %s of %s lines', redrive_no, matched)
                        FROM begun)
                    SELECT {RedrivesReader.Columns} FROM begun
                    """,
                    [
                        .. SelectedRejections.Parameters(selection),
                        new NpgsqlParameter<string> { TypedValue = who },
                        new NpgsqlParameter
                        {
                            NpgsqlDbType = NpgsqlDbType.Jsonb,
                            Value = JsonSerializer.Serialize(selection, RedriveJson.Default.RedriveSelection),
                        },
                    ],
                    cancellation
                ),
            RedrivesReader.Advice,
            cancellation
        );

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
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? RedrivesReader.Of(reader) : null;
    }
}
