namespace FactoryStream.Storage.Migrations;

/// <summary>
/// The functions that drop table partitions and tell how far retention may go, one constant for each version of them.
/// </summary>
internal static class RetentionSql
{
    public const string DropPartitions = """
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

    // DROP TABLE of a table partition locks its parent: behind one that waits for a long export, every writer would wait as well. So it
    // gives up soon, to be called again.
    public const string SafeDropPartitions = """
        CREATE OR REPLACE FUNCTION factory.drop_partitions(parent text, before timestamptz) RETURNS integer
        LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
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
        COMMENT ON FUNCTION factory.drop_partitions IS
            'Retention: drops the partitions that end at or before a moment; returns how many, 0 also while another does it; '
            'lock_not_available: try again later';
        """;

    // Batches go with the readings, in one transaction: evidence never goes first, whoever calls this, and whatever fails.
    public const string DropPartitionsWithBatches = """
        CREATE OR REPLACE FUNCTION factory.drop_partitions(parent text, before timestamptz) RETURNS integer
        LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
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
                WHERE inhparent = ANY (CASE parent
                    WHEN 'readings' THEN ARRAY['factory.readings', 'factory.batches']
                    ELSE ARRAY['factory.' || parent] END::regclass[])
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
        COMMENT ON FUNCTION factory.drop_partitions IS
            'Retention: drops the partitions that end at or before a moment, those of readings with their batches''; returns how '
            'many, 0 also while another does it; lock_not_available: try again later';
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
    // they do not (a transaction that was rolled back), the result is an earlier moment, and retention keeps more. A clock that ran ahead
    // when it gave a verdict is held against what the machines' clocks say.
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
}
