using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Browser;

/// <summary>Plants for the tests of the pages.</summary>
internal static class PlantSeeds
{
    /// <summary>The latest window that may have closed by now.</summary>
    public static readonly DateTime Recent = DateTime.UnixEpoch.AddSeconds(
        Math.Floor((TimeProvider.System.GetUtcNow().UtcDateTime - DateTime.UnixEpoch).TotalSeconds / 10) * 10 - 20
    );

    /// <summary>Two factories of two engines, each with thirty windows.</summary>
    public static async Task FourEnginesAsync(NpgsqlDataSource database)
    {
        // Numbers 1 to 4.
        foreach (
            var (factory, engine, rpm) in ((string, string, double)[])
                [
                    ("factory_a", "engine_a1", 3000),
                    ("factory_a", "engine_a2", 111),
                    ("factory_b", "engine_b1", 100),
                    ("factory_b", "engine_b2", 222),
                ]
        )
        {
            var engineNo = await database.EngineAsync(factory, engine);
            for (var window = 30; window >= 1; window--)
                await database.CloseAsync(
                    engineNo,
                    Recent.AddSeconds(-10 * window),
                    ("rpm", rpm + (window == 1 ? 0 : 20 * Math.Sin(window / 4.0))),
                    ("temp_air", 20 + window / 10.0)
                );
        }
    }

    /// <summary>Factories of a hundred engines, each with one window that no test is slow enough to outlive.</summary>
    public static async Task EnginesAsync(NpgsqlDataSource database, int engines)
    {
        await database.ScalarAsync<object>("SELECT factory.ensure_partition('engine_windows', $1)", Recent);
        await database.ScalarAsync<object>(
            """
            WITH engine AS (
                INSERT INTO factory.engines (factory_id, engine_id, closed_until)
                SELECT 'factory_' || to_char(n / 100, 'FM000'), 'engine_' || to_char(n % 100, 'FM000'), $1::timestamptz + interval '10 s'
                FROM generate_series(0, $2 - 1) AS n
                RETURNING engine_no),
            written AS (
                INSERT INTO factory.engine_windows
                    (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums, mins, maxs, squared_deviations)
                SELECT engine_no, 0, $1, $1::timestamptz + interval '10 s', $3,
                    '{temp_air,temp_oil,temp_exhaust,vibration,pressure_1,pressure_2,rpm}', array_fill(10, '{7}'), array_fill(250, '{7}'),
                    array_fill(24, '{7}'), array_fill(27, '{7}'), array_fill(3, '{7}')
                FROM engine
                RETURNING 1)
            SELECT count(*) FROM written
            """,
            Recent,
            engines,
            TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1)
        );
    }

    /// <summary>Says that the engine's windows were written so long ago; less than zero: that they will be.</summary>
    public static Task UpdatedAsync(this NpgsqlDataSource database, int engineNo, TimeSpan ago) =>
        database.ScalarAsync<object>(
            "UPDATE factory.engine_windows SET updated_at = now() - $2 WHERE engine_no = $1 RETURNING 1",
            engineNo,
            ago
        );
}
