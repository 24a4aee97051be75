namespace FactoryStream.Storage.Migrations;

/// <summary>
/// What migrations say of the tables that EF Core has no words for: range-partitioned ones, their storage and their comments.
/// </summary>
internal static class TableSql
{
    // Columns in the order that wastes no padding: 4 + 4 + 8 + 8, then what varies. A row of 220 bytes of data and 256 of signature is far
    // below the 2 kB from which PostgreSQL would try to compress.
    public const string Readings = """
        CREATE TABLE factory.readings (
            engine_no integer NOT NULL,
            key_no integer NOT NULL,
            measured_at timestamptz NOT NULL,
            verdict_at timestamptz NOT NULL,
            data_sha256 bytea NOT NULL,
            data json NOT NULL,
            signature bytea NOT NULL,
            CONSTRAINT pk_readings PRIMARY KEY (engine_no, measured_at, data_sha256)
        ) PARTITION BY RANGE (measured_at);
        COMMENT ON TABLE factory.readings IS 'Every accepted reading once, with its evidence; data is the exact bytes that were signed';
        """;

    public const string Windows = """
        CREATE TABLE factory.windows (
            engine_no integer NOT NULL,
            revision integer NOT NULL,
            window_start timestamptz NOT NULL,
            window_end timestamptz NOT NULL,
            count bigint NOT NULL,
            sum double precision NOT NULL,
            min double precision NOT NULL,
            max double precision NOT NULL,
            squared_deviation double precision NOT NULL,
            updated_at timestamptz NOT NULL,
            closed boolean NOT NULL DEFAULT true,
            metric text NOT NULL,
            CONSTRAINT pk_windows PRIMARY KEY (engine_no, window_start, window_end, metric)
        ) PARTITION BY RANGE (window_start);
        COMMENT ON COLUMN factory.windows.squared_deviation IS
            'sum of (value - mean)^2; standard deviation = sqrt(squared_deviation / count)';
        COMMENT ON COLUMN factory.windows.revision IS 'how often late readings corrected the closed window';
        ALTER TABLE factory.engines SET (fillfactor = 50);
        ALTER TABLE factory.checkpoints SET (fillfactor = 10);
        ALTER TABLE factory.ledger SET (fillfactor = 10);
        """;

    // Columns in the order that wastes no padding: 4 + 4 + 8 + 8 + 8, then what varies.
    public const string EngineWindows = """
        CREATE TABLE factory.engine_windows (
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
            CONSTRAINT pk_engine_windows PRIMARY KEY (engine_no, window_start, window_end)
        ) PARTITION BY RANGE (window_start);
        COMMENT ON TABLE factory.engine_windows IS
            'Closed windows; each array has a value for each of metrics. The view factory.windows shows a row for each metric';
        COMMENT ON COLUMN factory.engine_windows.squared_deviations IS
            'sum of (value - mean)^2; standard deviation = sqrt(squared_deviation / count)';
        COMMENT ON COLUMN factory.engine_windows.revision IS 'how often late readings corrected the closed window';
        """;

    // Of rows that are corrected metric by metric a window has the highest revision.
    public const string EngineWindowsOfMetricWindows = """
        DO $$
        DECLARE
            child record;
        BEGIN
            FOR child IN
                SELECT inhrelid::regclass AS name,
                    substring(pg_get_expr(relpartbound, oid) FROM 'FROM \(''([^'']+)''\)')::timestamptz AS lower_bound
                FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = 'factory.metric_windows'::regclass
            LOOP
                PERFORM factory.ensure_partition('engine_windows', child.lower_bound);
                EXECUTE format(
                    'INSERT INTO factory.engine_windows (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums, '
                    'mins, maxs, squared_deviations) '
                    'SELECT engine_no, max(revision), window_start, window_end, max(updated_at), array_agg(metric), array_agg(count), '
                    'array_agg(sum), array_agg(min), array_agg(max), array_agg(squared_deviation) '
                    'FROM (SELECT * FROM %s ORDER BY engine_no, window_start, window_end, metric) AS ordered '
                    'GROUP BY engine_no, window_start, window_end', child.name);
            END LOOP;
        END $$;
        """;

    public const string MetricWindowsOfEngineWindows = """
        SELECT factory.ensure_partition('windows', lower_bound)
        FROM (
            SELECT substring(pg_get_expr(relpartbound, oid) FROM 'FROM \(''([^'']+)''\)')::timestamptz AS lower_bound
            FROM pg_inherits JOIN pg_class ON oid = inhrelid
            WHERE inhparent = 'factory.engine_windows'::regclass) AS children;
        INSERT INTO factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at,
            metric)
        SELECT engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric
        FROM factory.windows_of_engines;
        """;

    // EXTERNAL: PostgreSQL would spend more time compressing a batch than on all else it does with it. No foreign key: it would cost a
    // look-up a reading; the same transaction writes both, and retention drops both. The check needs no look at the rows there are: each
    // has a signature, for none was allowed to miss it.
    public const string Batches = """
        CREATE TABLE factory.batches (
            measured_until timestamptz NOT NULL,
            verdict_at timestamptz NOT NULL,
            key_no integer NOT NULL,
            sha256 bytea NOT NULL,
            signature bytea NOT NULL,
            data bytea NOT NULL,
            CONSTRAINT pk_batches PRIMARY KEY (sha256, measured_until)
        ) PARTITION BY RANGE (measured_until);
        ALTER TABLE factory.batches ALTER COLUMN data SET STORAGE EXTERNAL;
        COMMENT ON TABLE factory.batches IS
            'Every signed batch of which a reading is stored, once; data is the exact bytes of the array that was signed';
        COMMENT ON COLUMN factory.batches.measured_until IS
            'its newest reading''s time, so that a batch is dropped no sooner than its readings';

        ALTER TABLE factory.readings ADD COLUMN batch_sha256 bytea, ALTER COLUMN signature DROP NOT NULL;
        ALTER TABLE factory.readings ADD CONSTRAINT ck_readings_evidence CHECK ((signature IS NULL) <> (batch_sha256 IS NULL)) NOT VALID;
        COMMENT ON COLUMN factory.readings.batch_sha256 IS
            'the batch in factory.batches that was signed and holds data; null: signature is over data itself';
        """;

    // What was kept before its bytes were counted: on the row of each reason's first partition, for a rejection does not tell its own.
    public const string RejectionBytes = """
        UPDATE factory.rejection_counts AS c SET bytes = kept.bytes
        FROM (
            SELECT coalesce(factory_id, '') AS factory_id, reason, refused,
                sum(octet_length(line) + coalesce(octet_length(detail), 0) + 128) AS bytes
            FROM factory.rejections GROUP BY 1, 2, 3) AS kept
        JOIN (SELECT factory_id, reason, refused, min(partition) AS partition FROM factory.rejection_counts GROUP BY 1, 2, 3) AS first
            USING (factory_id, reason, refused)
        WHERE c.factory_id = first.factory_id AND c.reason = first.reason AND c.refused = first.refused AND c.partition = first.partition;
        """;

    public const string Installation = """
        CREATE TABLE factory.installation (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            daily_since date NOT NULL
        );
        COMMENT ON TABLE factory.installation IS
            'Time partitions are months before daily_since and days from then on, so that odd timestamps make a bounded number '
            'of them';
        INSERT INTO factory.installation (daily_since) VALUES (date_trunc('month', now() AT TIME ZONE 'UTC')::date);
        """;
}
