using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>
/// What a commit's transaction, and the one that watches the clock, write into <c>factory.alerts</c> and <c>factory.alert_events</c>.
/// </summary>
public static class AlertStatements
{
    /// <summary>
    /// The channel on which the database tells, with the commit, that something happened to alerts; its payload is empty.
    /// </summary>
    public const string Channel = "factory_alerts";

    /// <summary>
    /// Statements for changes, in the order to execute them: what is withdrawn or over makes room for what is raised, for one rule and
    /// engine has one raised alert. What another transaction has changed meanwhile stays as it is.
    /// </summary>
    /// <param name="changes">Each stored alert at most once.</param>
    /// <param name="now">The wall clock's time, UTC.</param>
    public static IEnumerable<NpgsqlBatchCommand> Write(IReadOnlyList<AlertChange> changes, DateTime now)
    {
        var stored = changes.Where(change => change.Stored is not null).ToLookup(IsOver);
        var raised = changes.Where(change => change.Stored is null).ToArray();
        foreach (var isOver in (bool[])[true, false])
        {
            if (stored[isOver].Any())
                yield return Change([.. stored[isOver]], now);
        }
        if (raised.Length > 0)
            yield return Raise(raised, now);
    }

    /// <summary>Clears the alerts of rules that are gone or turned off.</summary>
    /// <param name="now">The wall clock's time, UTC.</param>
    public static NpgsqlBatchCommand ClearWithoutRule(DateTime now)
    {
        var command = new NpgsqlBatchCommand(
            """
            WITH cleared AS (
                UPDATE factory.alerts AS a SET state = 'cleared', cleared_at = $1
                WHERE state = 'raised'
                    AND NOT EXISTS (
                        SELECT FROM factory.alert_rules AS r
                        WHERE r.rule_no = a.rule_no AND r.is_enabled AND r.kind = a.kind AND r.metric IS NOT DISTINCT FROM a.metric
                            AND (r.factory_id IS NULL OR r.factory_id = a.factory_id)
                            AND (r.engine_id IS NULL OR r.engine_id = (
                                SELECT engine_id FROM factory.engines AS e WHERE e.engine_no = a.engine_no)))
                RETURNING alert_no)
            INSERT INTO factory.alert_events (alert_no, event, recorded_at, comment)
            SELECT alert_no, 'cleared', $1, 'its rule was deleted, turned off or made another' FROM cleared ORDER BY alert_no
            """
        );
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        return command;
    }

    private static bool IsOver(AlertChange change) => change.Event == AlertEvent.Withdrawn || change.Span.Cleared is not null;

    private static string State(AlertChange change) =>
        change.Event == AlertEvent.Withdrawn ? "withdrawn"
        : change.Span.Cleared is null ? "raised"
        : "cleared";

    private static NpgsqlBatchCommand Change(IReadOnlyList<AlertChange> changes, DateTime now)
    {
        var command = new NpgsqlBatchCommand(
            """
            WITH changed AS (
                UPDATE factory.alerts AS a SET state = c.state, raised_at = c.raised_at, value = c.value, cleared_at = c.cleared_at,
                    revision = a.revision + CASE WHEN c.event = 'cleared' THEN 0 ELSE 1 END
                FROM unnest($2::bigint[], $3::bool[], $4::text[], $5::timestamptz[], $6::float8[], $7::timestamptz[], $8::text[],
                        $9::timestamptz[], $10::timestamptz[], $11::float8[])
                    AS c (alert_no, was_raised, state, raised_at, value, cleared_at, event, window_start, decided_at, event_value)
                WHERE a.alert_no = c.alert_no AND a.state = CASE WHEN was_raised THEN 'raised' ELSE 'cleared' END
                RETURNING a.alert_no, c.event, c.window_start, c.decided_at, c.event_value)
            INSERT INTO factory.alert_events (alert_no, event, recorded_at, window_start, window_end, value)
            SELECT alert_no, event, $1, window_start, CASE WHEN window_start IS NOT NULL THEN decided_at END, event_value
            FROM changed ORDER BY alert_no
            """
        );
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        parameters.AddArray(NpgsqlDbType.Bigint, changes.Select(change => change.Stored!.AlertNo));
        parameters.AddArray(NpgsqlDbType.Boolean, changes.Select(change => change.Stored!.ClearedAt is null));
        parameters.AddArray(NpgsqlDbType.Text, changes.Select(State));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Span.Raised.At));
        parameters.AddArray(NpgsqlDbType.Double, changes.Select(change => change.Span.Raised.Value ?? 0));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Span.Cleared?.At));
        parameters.AddArray(NpgsqlDbType.Text, changes.Select(change => AlertNames.ToName(change.Event)));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Decided.WindowStart));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Decided.At));
        parameters.AddArray(NpgsqlDbType.Double, changes.Select(change => change.Decided.Value));
        return command;
    }

    // A rule that was deleted a moment ago raises nothing; another transaction of the clock's may have raised the same a moment ago.
    private static NpgsqlBatchCommand Raise(IReadOnlyList<AlertChange> changes, DateTime now)
    {
        var command = new NpgsqlBatchCommand(
            """
            WITH found AS MATERIALIZED (
                SELECT * FROM unnest($2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::float8[],
                        $8::timestamptz[], $9::timestamptz[], $10::float8[])
                    AS f (rule_no, factory_id, engine_no, window_start, raised_at, value, clearing_start, cleared_at, clearing_value)),
            raised AS (
                INSERT INTO factory.alerts (rule_no, name, kind, severity, factory_id, engine_no, metric, state, raised_at,
                    raised_recorded_at, cleared_at, value)
                SELECT rule_no, r.name, r.kind, r.severity, f.factory_id, f.engine_no, r.metric,
                    CASE WHEN cleared_at IS NULL THEN 'raised' ELSE 'cleared' END, raised_at, $1, cleared_at, f.value
                FROM found AS f JOIN factory.alert_rules AS r USING (rule_no)
                ORDER BY raised_at, engine_no
                ON CONFLICT DO NOTHING
                RETURNING alert_no, rule_no, factory_id, engine_no, raised_at),
            numbered AS (
                SELECT alert_no, f.* FROM raised JOIN found AS f
                    ON f.rule_no = raised.rule_no AND f.factory_id = raised.factory_id AND f.raised_at = raised.raised_at
                        AND f.engine_no IS NOT DISTINCT FROM raised.engine_no)
            INSERT INTO factory.alert_events (alert_no, event, recorded_at, window_start, window_end, value)
            SELECT * FROM (
                SELECT alert_no, 'raised' AS event, $1, window_start, CASE WHEN window_start IS NOT NULL THEN raised_at END, value
                FROM numbered
                UNION ALL
                SELECT alert_no, 'cleared', $1, clearing_start, CASE WHEN clearing_start IS NOT NULL THEN cleared_at END, clearing_value
                FROM numbered WHERE cleared_at IS NOT NULL) AS events
            ORDER BY alert_no, event DESC
            """
        );
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        parameters.AddArray(NpgsqlDbType.Integer, changes.Select(change => change.RuleNo));
        parameters.AddArray(NpgsqlDbType.Text, changes.Select(change => change.FactoryId));
        parameters.AddArray(NpgsqlDbType.Integer, changes.Select(change => change.EngineNo));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Span.Raised.WindowStart));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Span.Raised.At));
        parameters.AddArray(NpgsqlDbType.Double, changes.Select(change => change.Span.Raised.Value ?? 0));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Span.Cleared?.WindowStart));
        parameters.AddArray(NpgsqlDbType.TimestampTz, changes.Select(change => change.Span.Cleared?.At));
        parameters.AddArray(NpgsqlDbType.Double, changes.Select(change => change.Span.Cleared?.Value));
        return command;
    }
}
