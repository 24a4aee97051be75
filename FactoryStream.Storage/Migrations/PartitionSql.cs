namespace FactoryStream.Storage.Migrations;

/// <summary>
/// The function that makes table partitions, one constant for each version of it.
/// </summary>
internal static class PartitionSql
{
    // A table partition is made as a table of its own and then attached: that lock does not stop writers, CREATE TABLE ... PARTITION OF
    // would.
    public const string EnsurePartition = """
        CREATE FUNCTION factory.ensure_partition(
            parent text, moment timestamptz, OUT lower_bound timestamptz, OUT upper_bound timestamptz)
        LANGUAGE plpgsql AS $$
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
            -- Another one may have made it while we waited: asked of the catalogue's own rows, for to_regclass may answer from a
            -- cache that is older than the lock.
            IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'factory'::regnamespace AND relname = child) THEN
                RETURN;
            END IF;
            EXECUTE format('CREATE TABLE factory.%I (LIKE factory.%I INCLUDING ALL)', child, parent);
            EXECUTE format('ALTER TABLE factory.%I ATTACH PARTITION factory.%I FOR VALUES FROM (%L) TO (%L)',
                parent, child, lower_bound, upper_bound);
        END $$;
        """;

    // Rows that are only inserted leave a vacuum nothing to clear away: it would read each of them again, for maps that index-only scans
    // use and nobody's queries do. What transaction numbers ask for still happens, at their own age.
    public const string QuietPartitions = """
        CREATE OR REPLACE FUNCTION factory.ensure_partition(
            parent text, moment timestamptz, OUT lower_bound timestamptz, OUT upper_bound timestamptz)
        LANGUAGE plpgsql AS $$
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
            -- Another one may have made it while we waited: asked of the catalogue's own rows, for to_regclass may answer from a
            -- cache that is older than the lock.
            IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'factory'::regnamespace AND relname = child) THEN
                RETURN;
            END IF;
            EXECUTE format('CREATE TABLE factory.%I (LIKE factory.%I INCLUDING ALL)', child, parent);
            IF parent IN ('readings', 'batches') THEN
                EXECUTE format(
                    'ALTER TABLE factory.%I SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1)',
                    child);
            END IF;
            EXECUTE format('ALTER TABLE factory.%I ATTACH PARTITION factory.%I FOR VALUES FROM (%L) TO (%L)',
                parent, child, lower_bound, upper_bound);
        END $$;

        DO $$
        DECLARE
            child regclass;
        BEGIN
            FOR child IN
                SELECT inhrelid::regclass FROM pg_inherits
                WHERE inhparent IN ('factory.readings'::regclass, 'factory.batches'::regclass)
            LOOP
                EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1)', child);
            END LOOP;
        END $$;
        """;
}
