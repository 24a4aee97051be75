namespace FactoryStream.Storage.Migrations;

/// <summary>Views for others' tools, which know names and not numbers: what they are called and their columns stay.</summary>
internal static class ReportSql
{
    public const string Views = """
        CREATE VIEW factory.engine_overview AS
        SELECT engine_no, factory_id, engine_id, closed_until, windows_written_at,
            (SELECT count(*) FROM factory.alerts WHERE alerts.engine_no = engines.engine_no AND state = 'raised') AS raised_alerts
        FROM factory.engines;
        COMMENT ON VIEW factory.engine_overview IS 'Engines by name; until when their windows are closed, and when they were last written';

        CREATE VIEW factory.outcomes AS
        SELECT factory_id, 'stored' AS outcome, sum(stored)::bigint AS readings FROM factory.ledger GROUP BY factory_id
        UNION ALL
        SELECT factory_id, 'duplicate', sum(duplicates)::bigint FROM factory.ledger GROUP BY factory_id
        UNION ALL
        SELECT factory_id, reason, sum(count)::bigint FROM factory.rejection_counts WHERE NOT refused GROUP BY factory_id, reason;
        COMMENT ON VIEW factory.outcomes IS
            'What became of accepted readings, since the last purge: stored, duplicate, or the reason of a rejection';

        CREATE VIEW factory.rejected_lines AS
        SELECT rejection_no, rejected_at, factory_id, reason, refused, readings, detail FROM factory.rejections;
        COMMENT ON VIEW factory.rejected_lines IS 'Lines that were rejected, or refused and never accepted, as long as they are kept';

        CREATE VIEW factory.alert_history AS
        SELECT alert_no, name, kind, severity, alerts.factory_id, engine_id, metric, state, raised_at, cleared_at, value, acknowledged_by,
            acknowledged_at
        FROM factory.alerts LEFT JOIN factory.engines USING (engine_no);
        COMMENT ON VIEW factory.alert_history IS
            'Alerts: raised, cleared (over), or withdrawn (late readings showed that there never was one)';
        """;

    public const string Drop = "DROP VIEW factory.engine_overview, factory.outcomes, factory.rejected_lines, factory.alert_history";
}
