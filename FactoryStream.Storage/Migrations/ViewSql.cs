namespace FactoryStream.Storage.Migrations;

/// <summary>
/// The views with the columns of the Python system that FactoryStream replaces, and the functions that they call, one constant for each
/// version of them.
/// </summary>
internal static class ViewSql
{
    public const string Views = SensorData + AggregatedSensorData;

    // A row for each metric of each window, with the columns of the table that had this name: what is closed is stored, the rest is not.
    public const string Windows = """
        CREATE VIEW factory.windows AS
        SELECT engine_no, revision, window_start, window_end, totals.count, totals.sum, totals.min, totals.max,
            totals.squared_deviation, updated_at, true AS closed, totals.metric
        FROM factory.engine_windows
        CROSS JOIN LATERAL unnest(metrics, counts, sums, mins, maxs, squared_deviations)
            AS totals (metric, count, sum, min, max, squared_deviation);
        COMMENT ON VIEW factory.windows IS 'Closed windows, a row for each metric';
        COMMENT ON COLUMN factory.windows.squared_deviation IS
            'sum of (value - mean)^2; standard deviation = sqrt(squared_deviation / count)';
        COMMENT ON COLUMN factory.windows.revision IS 'how often late readings corrected the closed window';
        """;

    public const string AggregatedSensorData = """
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

    private const string SensorData = """
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
            SELECT CASE WHEN value ~ '^-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$'
                THEN value::double precision ELSE factory.odd_metric(value) END
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
        COMMENT ON FUNCTION factory.metric(json, text) IS
            'A metric of factory.readings.data as a number; null where there is none of that name';

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
}
