namespace FactoryStream.Storage.Migrations;

/// <summary>
/// What EF Core has no words for: range-partitioned tables, the functions that make and drop their partitions, and the views.
/// </summary>
internal static class Objects
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
        COMMENT ON COLUMN factory.windows.squared_deviation IS 'sum of (value - mean)^2; standard deviation = sqrt(squared_deviation / count)';
        COMMENT ON COLUMN factory.windows.revision IS 'how often late readings corrected the closed window';
        ALTER TABLE factory.engines SET (fillfactor = 50);
        ALTER TABLE factory.checkpoints SET (fillfactor = 10);
        ALTER TABLE factory.ledger SET (fillfactor = 10);
        """;

    // A partition is made as a table of its own and then attached: that lock does not stop writers, CREATE TABLE ... PARTITION OF would.
    public const string Partitions = """
        CREATE TABLE factory.installation (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            daily_since date NOT NULL
        );
        COMMENT ON TABLE factory.installation IS 'Time partitions are months before daily_since and days from then on, so that odd timestamps make a bounded number of them';
        INSERT INTO factory.installation (daily_since) VALUES (date_trunc('month', now() AT TIME ZONE 'UTC')::date);

        CREATE FUNCTION factory.ensure_partition(parent text, moment timestamptz, OUT lower_bound timestamptz, OUT upper_bound timestamptz) LANGUAGE plpgsql AS $$
        DECLARE
            day date := (moment AT TIME ZONE 'UTC')::date;
            since date;
            first date;
            next date;
            child text;
        BEGIN
            SELECT daily_since INTO STRICT since FROM factory.installation;
            IF day >= since THEN
                first := day;
                next := day + 1;
                child := parent || to_char(first, '_YYYYMMDD');
            ELSE
                first := date_trunc('month', day)::date;
                next := (first + interval '1 month')::date;
                child := parent || to_char(first, '_YYYYMM');
            END IF;
            lower_bound := first::timestamp AT TIME ZONE 'UTC';
            upper_bound := next::timestamp AT TIME ZONE 'UTC';
            IF to_regclass('factory.' || child) IS NOT NULL THEN
                RETURN;
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext('factory.' || parent));
            -- Another one may have made it while we waited: asked of the catalogue's own rows, for to_regclass may answer from a cache that is older than the lock.
            IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'factory'::regnamespace AND relname = child) THEN
                RETURN;
            END IF;
            EXECUTE format('CREATE TABLE factory.%I (LIKE factory.%I INCLUDING ALL)', child, parent);
            EXECUTE format('ALTER TABLE factory.%I ATTACH PARTITION factory.%I FOR VALUES FROM (%L) TO (%L)', parent, child, lower_bound, upper_bound);
        END $$;

        CREATE FUNCTION factory.drop_partitions(parent text, before timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            child record;
            upper_bound timestamptz;
            dropped integer := 0;
        BEGIN
            FOR child IN
                SELECT inhrelid::regclass AS name, pg_get_expr(relpartbound, oid) AS bounds
                FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = ('factory.' || parent)::regclass
            LOOP
                upper_bound := substring(child.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz;
                IF upper_bound <= before THEN
                    EXECUTE format('DROP TABLE %s', child.name);
                    dropped := dropped + 1;
                END IF;
            END LOOP;
            RETURN dropped;
        END $$;
        COMMENT ON FUNCTION factory.drop_partitions IS 'Retention: drops the partitions that end at or before a moment; returns how many';
        """;

    public const string Views = """
        CREATE VIEW factory.sensor_data AS
        SELECT factory_id, engine_id, measured_at AS "timestamp",
            (data ->> 'temp_air')::double precision AS temp_air,
            (data ->> 'temp_oil')::double precision AS temp_oil,
            (data ->> 'temp_exhaust')::double precision AS temp_exhaust,
            (data ->> 'vibration')::double precision AS vibration,
            (data ->> 'pressure_1')::double precision AS pressure_1,
            (data ->> 'pressure_2')::double precision AS pressure_2,
            (data ->> 'rpm')::double precision AS rpm
        FROM factory.readings JOIN factory.engines USING (engine_no);

        CREATE VIEW factory.aggregated_sensor_data AS
        SELECT factory_id, engine_id, window_end AS watermark,
            max(sum / count) FILTER (WHERE metric = 'temp_air') AS avg_temp_air,
            max(sum / count) FILTER (WHERE metric = 'temp_oil') AS avg_temp_oil,
            max(sum / count) FILTER (WHERE metric = 'temp_exhaust') AS avg_temp_exhaust,
            max(sum / count) FILTER (WHERE metric = 'vibration') AS avg_vibration,
            max(sum / count) FILTER (WHERE metric = 'pressure_1') AS avg_pressure_1,
            max(sum / count) FILTER (WHERE metric = 'pressure_2') AS avg_pressure_2,
            max(sum / count) FILTER (WHERE metric = 'rpm') AS avg_rpm,
            max(count) AS batch_size
        FROM factory.windows JOIN factory.engines USING (engine_no)
        GROUP BY factory_id, engine_id, window_end;
        """;

    // 1e-400 is a number in JSON and in .NET, where it is 0; to PostgreSQL it is an error, and one such reading would fail every query of
    // the view.
    public const string MetricFunctions = """
        CREATE FUNCTION factory.odd_metric(value text) RETURNS double precision LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        BEGIN
            RETURN value::double precision;
        EXCEPTION WHEN numeric_value_out_of_range THEN
            RETURN 0;
        END $$;
        COMMENT ON FUNCTION factory.odd_metric IS 'A number too small for its type is 0; one too large is no reading';

        CREATE FUNCTION factory.metric(value text) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT CASE WHEN value ~ '^-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$' THEN value::double precision ELSE factory.odd_metric(value) END
        $$;
        COMMENT ON FUNCTION factory.metric IS 'A metric of factory.readings.data as a number';
        """;

    public const string SafeSensorData = """
        CREATE OR REPLACE VIEW factory.sensor_data AS
        SELECT factory_id, engine_id, measured_at AS "timestamp",
            factory.metric(data ->> 'temp_air') AS temp_air,
            factory.metric(data ->> 'temp_oil') AS temp_oil,
            factory.metric(data ->> 'temp_exhaust') AS temp_exhaust,
            factory.metric(data ->> 'vibration') AS vibration,
            factory.metric(data ->> 'pressure_1') AS pressure_1,
            factory.metric(data ->> 'pressure_2') AS pressure_2,
            factory.metric(data ->> 'rpm') AS rpm
        FROM factory.readings JOIN factory.engines USING (engine_no);
        """;

    // A member that is no number is kept in the signed bytes and is no metric, so here it is null; as a number it would fail every query of
    // the view.
    public const string NumbersAlone = """
        CREATE FUNCTION factory.metric(data json, name text) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT CASE WHEN json_typeof(data -> name) = 'number' THEN factory.metric(data ->> name) END
        $$;
        COMMENT ON FUNCTION factory.metric(json, text) IS 'A metric of factory.readings.data as a number; null where there is none of that name';

        CREATE OR REPLACE VIEW factory.sensor_data AS
        SELECT factory_id, engine_id, measured_at AS "timestamp",
            factory.metric(data, 'temp_air') AS temp_air,
            factory.metric(data, 'temp_oil') AS temp_oil,
            factory.metric(data, 'temp_exhaust') AS temp_exhaust,
            factory.metric(data, 'vibration') AS vibration,
            factory.metric(data, 'pressure_1') AS pressure_1,
            factory.metric(data, 'pressure_2') AS pressure_2,
            factory.metric(data, 'rpm') AS rpm
        FROM factory.readings JOIN factory.engines USING (engine_no);
        """;

    // DROP TABLE of a partition locks its parent: behind one that waits for a long export, every writer would wait as well. So it gives up
    // soon, to be called again.
    public const string SafeDropPartitions = """
        CREATE OR REPLACE FUNCTION factory.drop_partitions(parent text, before timestamptz) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
        DECLARE
            child record;
            upper_bound timestamptz;
            dropped integer := 0;
        BEGIN
            IF NOT pg_try_advisory_xact_lock(hashtext('factory.retention.' || parent)) THEN
                RETURN 0;
            END IF;
            FOR child IN
                SELECT inhrelid::regclass AS name, pg_get_expr(relpartbound, oid) AS bounds
                FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = ('factory.' || parent)::regclass
            LOOP
                upper_bound := substring(child.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz;
                IF upper_bound <= before THEN
                    EXECUTE format('DROP TABLE %s', child.name);
                    dropped := dropped + 1;
                END IF;
            END LOOP;
            RETURN dropped;
        END $$;
        COMMENT ON FUNCTION factory.drop_partitions IS 'Retention: drops the partitions that end at or before a moment; returns how many, 0 also while another does it; lock_not_available: try again later';
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
        COMMENT ON TABLE factory.batches IS 'Every signed batch of which a reading is stored, once; data is the exact bytes of the array that was signed';
        COMMENT ON COLUMN factory.batches.measured_until IS 'its newest reading''s time, so that a batch is dropped no sooner than its readings';

        ALTER TABLE factory.readings ADD COLUMN batch_sha256 bytea, ALTER COLUMN signature DROP NOT NULL;
        ALTER TABLE factory.readings ADD CONSTRAINT ck_readings_evidence CHECK ((signature IS NULL) <> (batch_sha256 IS NULL)) NOT VALID;
        COMMENT ON COLUMN factory.readings.batch_sha256 IS 'the batch in factory.batches that was signed and holds data; null: signature is over data itself';
        """;

    // Batches go with the readings, in one transaction: evidence never goes first, whoever calls this, and whatever fails.
    public const string DropPartitionsWithBatches = """
        CREATE OR REPLACE FUNCTION factory.drop_partitions(parent text, before timestamptz) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
        DECLARE
            child record;
            upper_bound timestamptz;
            dropped integer := 0;
        BEGIN
            IF NOT pg_try_advisory_xact_lock(hashtext('factory.retention.' || parent)) THEN
                RETURN 0;
            END IF;
            FOR child IN
                SELECT inhrelid::regclass AS name, pg_get_expr(relpartbound, oid) AS bounds
                FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = ANY (CASE parent WHEN 'readings' THEN ARRAY['factory.readings', 'factory.batches'] ELSE ARRAY['factory.' || parent] END::regclass[])
                ORDER BY inhparent = 'factory.batches'::regclass
            LOOP
                upper_bound := substring(child.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz;
                IF upper_bound <= before THEN
                    EXECUTE format('DROP TABLE %s', child.name);
                    dropped := dropped + 1;
                END IF;
            END LOOP;
            RETURN dropped;
        END $$;
        COMMENT ON FUNCTION factory.drop_partitions IS 'Retention: drops the partitions that end at or before a moment, those of readings with their batches''; returns how many, 0 also while another does it; lock_not_available: try again later';
        """;

    // Rows that are only inserted leave a vacuum nothing to clear away: it would read each of them again, for maps that index-only scans
    // use and nobody's queries do. What transaction numbers ask for still happens, at their own age.
    public const string QuietPartitions = """
        CREATE OR REPLACE FUNCTION factory.ensure_partition(parent text, moment timestamptz, OUT lower_bound timestamptz, OUT upper_bound timestamptz) LANGUAGE plpgsql AS $$
        DECLARE
            day date := (moment AT TIME ZONE 'UTC')::date;
            since date;
            first date;
            next date;
            child text;
        BEGIN
            SELECT daily_since INTO STRICT since FROM factory.installation;
            IF day >= since THEN
                first := day;
                next := day + 1;
                child := parent || to_char(first, '_YYYYMMDD');
            ELSE
                first := date_trunc('month', day)::date;
                next := (first + interval '1 month')::date;
                child := parent || to_char(first, '_YYYYMM');
            END IF;
            lower_bound := first::timestamp AT TIME ZONE 'UTC';
            upper_bound := next::timestamp AT TIME ZONE 'UTC';
            IF to_regclass('factory.' || child) IS NOT NULL THEN
                RETURN;
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext('factory.' || parent));
            -- Another one may have made it while we waited: asked of the catalogue's own rows, for to_regclass may answer from a cache that is older than the lock.
            IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'factory'::regnamespace AND relname = child) THEN
                RETURN;
            END IF;
            EXECUTE format('CREATE TABLE factory.%I (LIKE factory.%I INCLUDING ALL)', child, parent);
            IF parent IN ('readings', 'batches') THEN
                EXECUTE format('ALTER TABLE factory.%I SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1)', child);
            END IF;
            EXECUTE format('ALTER TABLE factory.%I ATTACH PARTITION factory.%I FOR VALUES FROM (%L) TO (%L)', parent, child, lower_bound, upper_bound);
        END $$;

        DO $$
        DECLARE
            child regclass;
        BEGIN
            FOR child IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent IN ('factory.readings'::regclass, 'factory.batches'::regclass)
            LOOP
                EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1)', child);
            END LOOP;
        END $$;
        """;

    // Oldest first, and of one end readings first, so that no step leaves a reading without its batch. All at once would ask for more locks
    // than there are.
    public const string DropFewPartitions = """
        CREATE FUNCTION factory.drop_partitions(parent text, before timestamptz, most integer DEFAULT NULL) RETURNS integer
        LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
        DECLARE
            child record;
            dropped integer := 0;
        BEGIN
            IF NOT pg_try_advisory_xact_lock(hashtext('factory.retention.' || parent)) THEN
                RETURN 0;
            END IF;
            FOR child IN
                SELECT name FROM (
                    SELECT inhrelid::regclass AS name, inhparent,
                        substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''([^'']+)''\)')::timestamptz AS upper_bound
                    FROM pg_inherits JOIN pg_class ON oid = inhrelid
                    WHERE inhparent = ANY (CASE parent
                        WHEN 'readings' THEN ARRAY['factory.readings', 'factory.batches']
                        ELSE ARRAY['factory.' || parent] END::regclass[])) AS children
                WHERE upper_bound <= before
                ORDER BY upper_bound, inhparent = 'factory.batches'::regclass
                LIMIT most
            LOOP
                EXECUTE format('DROP TABLE %s', child.name);
                dropped := dropped + 1;
            END LOOP;
            RETURN dropped;
        END $$;
        COMMENT ON FUNCTION factory.drop_partitions IS
            'Retention: drops the partitions that end at or before a moment, the oldest first, at most so many (null: all), those of '
            'readings with their batches''; returns how many, 0 also while another does it; lock_not_available: try again later';
        """;

    // Rows only come at a table's end, so its last pages have the newest verdict: looking at all of a day's rows would take minutes. Where
    // they do not (a batch that was undone), the answer is an earlier moment, and retention keeps more. A clock that ran ahead when it gave
    // a verdict is held against what the machines' clocks say.
    public const string NewestEvidence = """
        CREATE FUNCTION factory.newest_evidence() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
        DECLARE
            child record;
            last_page bigint;
            found timestamptz;
            verdict timestamptz;
            measured timestamptz;
            filled integer := 0;
        BEGIN
            FOR child IN
                SELECT inhrelid::regclass AS name,
                    substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''([^'']+)''\)')::timestamptz AS upper_bound
                FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = 'factory.readings'::regclass
                ORDER BY upper_bound DESC
                LIMIT 64
            LOOP
                last_page := pg_relation_size(child.name) / current_setting('block_size')::bigint - 1;
                CONTINUE WHEN last_page < 0;
                EXECUTE format(
                    'SELECT max(verdict_at) FROM %s WHERE ctid >= %L::tid', child.name,
                    format('(%s,0)', greatest(last_page - 63, 0))) INTO found;
                CONTINUE WHEN found IS NULL;
                verdict := greatest(verdict, found);
                measured := coalesce(measured, child.upper_bound);
                filled := filled + 1;
                EXIT WHEN filled = 8;
            END LOOP;
            RETURN least(verdict, measured);
        END $$;
        COMMENT ON FUNCTION factory.newest_evidence IS
            'About when the newest reading was stored, never later: its verdict''s time, but no later than the end of the newest partition '
            'with readings; null: there is none';
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
}
