namespace FactoryStream.Storage.Migrations;

/// <summary>The tables of windows of a minute, an hour and a day, and the views of them, one constant for each version of them.</summary>
internal static class RollupSql
{
    // Only minutes are many enough to be dropped by whole table partitions: of hours an engine has 8,760 a year.
    public const string Tables = $"""
        CREATE TABLE factory.engine_minutes ({Columns}
            CONSTRAINT pk_engine_minutes PRIMARY KEY (engine_no, window_start, window_end)) PARTITION BY RANGE (window_start);
        CREATE TABLE factory.engine_hours ({Columns}
            CONSTRAINT pk_engine_hours PRIMARY KEY (engine_no, window_start, window_end));
        CREATE TABLE factory.engine_days ({Columns}
            CONSTRAINT pk_engine_days PRIMARY KEY (engine_no, window_start, window_end));
        COMMENT ON TABLE factory.engine_minutes IS
            'Windows of a minute, merged from those of factory.engine_windows that begin in it; complete before engines.rolled_until';
        COMMENT ON TABLE factory.engine_hours IS 'Windows of an hour, merged from those of a minute; complete before engines.rolled_until';
        COMMENT ON TABLE factory.engine_days IS 'Windows of a day, merged from those of an hour; complete before engines.rolled_until';
        """;

    public const string Views = $"""
        CREATE VIEW factory.window_minutes AS SELECT {ViewColumns} FROM factory.engine_minutes {Unnest};
        CREATE VIEW factory.window_hours AS SELECT {ViewColumns} FROM factory.engine_hours {Unnest};
        CREATE VIEW factory.window_days AS SELECT {ViewColumns} FROM factory.engine_days {Unnest};
        COMMENT ON VIEW factory.window_minutes IS 'Windows of a minute that are rolled up, a row for each metric';
        COMMENT ON VIEW factory.window_hours IS 'Windows of an hour that are rolled up, a row for each metric';
        COMMENT ON VIEW factory.window_days IS 'Windows of a day that are rolled up, a row for each metric';
        """;

    // As those of factory.engine_windows.
    private const string Columns = """

            engine_no integer NOT NULL,
            revision integer NOT NULL,
            window_start timestamptz NOT NULL,
            window_end timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            metrics text[] NOT NULL,
            counts bigint[] NOT NULL,
            sums double precision[] NOT NULL,
            mins double precision[] NOT NULL,
            maxs double precision[] NOT NULL,
            squared_deviations double precision[] NOT NULL,
        """;

    private const string ViewColumns =
        "engine_no, revision, window_start, window_end, totals.count, totals.sum, totals.min, totals.max, totals.squared_deviation, "
        + "updated_at, true AS closed, totals.metric";

    private const string Unnest =
        "CROSS JOIN LATERAL unnest(metrics, counts, sums, mins, maxs, squared_deviations) "
        + "AS totals (metric, count, sum, min, max, squared_deviation)";
}
