namespace FactoryStream.Storage.Migrations;

/// <summary>The table of metrics' units and descriptions.</summary>
internal static class MetricSql
{
    public const string Metrics = """
        CREATE TABLE factory.metrics (
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
            unit text CHECK (length(unit) BETWEEN 1 AND 16),
            description text CHECK (length(description) BETWEEN 1 AND 256),
            version integer NOT NULL DEFAULT 1,
            updated_by text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_metrics PRIMARY KEY (name)
        );
        COMMENT ON TABLE factory.metrics IS 'Units and descriptions of metrics, by their names; a name without a row was not described';
        """;

    public const string Notifications = """
        CREATE FUNCTION factory.notify_metrics() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('factory_metrics', '');
            RETURN NULL;
        END $$;
        CREATE TRIGGER tr_metrics_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON factory.metrics
            FOR EACH STATEMENT EXECUTE FUNCTION factory.notify_metrics();
        """;
}
