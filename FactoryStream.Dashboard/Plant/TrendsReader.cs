using FactoryStream.Dashboard.Live;
using Npgsql;

namespace FactoryStream.Dashboard.Plant;

/// <summary>A metric's mean in one window.</summary>
public sealed record TrendPoint(DateTime WindowStart, double Mean);

/// <summary>Reads one metric's means over the last windows of many engines.</summary>
internal sealed class TrendsReader(NpgsqlDataSource database)
{
    public const int MaxWindows = 30;

    // $4 and $5 bound all engines together: by them the planner leaves out all table partitions but one or two, as LatestWindowsReader
    // has it.
    private static readonly string Trends = $"""
        SELECT asked_no, window_start, mean
        FROM unnest($1::int[], $2::timestamptz[]) AS asked (asked_no, asked_end)
        CROSS JOIN LATERAL (
            SELECT window_start, sum / count AS mean
            FROM factory.windows
            WHERE engine_no = asked_no AND metric = $3 AND closed AND window_start >= asked_end - $6 AND window_start < asked_end
                AND window_start >= $4 AND window_start < $5
            ORDER BY window_start DESC
            LIMIT {MaxWindows}) AS newest
        ORDER BY asked_no, window_start
        """;

    /// <summary>By engine, the oldest window first; up to the engine's newest, and as long as so many windows take.</summary>
    public async Task<ILookup<int, TrendPoint>> ReadAsync(
        IReadOnlyCollection<EngineWindow> engines,
        string metric,
        CancellationToken cancellation
    )
    {
        var points = new List<(int EngineNo, TrendPoint Point)>();
        // One query, where all engines are alive: those that were closed on the same day are in the same table partitions.
        foreach (var day in engines.GroupBy(engine => engine.WindowEnd.Date))
        {
            var span = MaxWindows * day.Max(engine => engine.WindowEnd - engine.WindowStart);
            await using var command = database.CreateCommand(Trends);
            command.Parameters.AddRange(
                new NpgsqlParameter[]
                {
                    new NpgsqlParameter<int[]> { TypedValue = [.. day.Select(engine => engine.EngineNo)] },
                    new NpgsqlParameter<DateTime[]> { TypedValue = [.. day.Select(engine => engine.WindowEnd)] },
                    new NpgsqlParameter<string> { TypedValue = metric },
                    new NpgsqlParameter<DateTime> { TypedValue = day.Min(engine => engine.WindowEnd) - span },
                    new NpgsqlParameter<DateTime> { TypedValue = day.Max(engine => engine.WindowEnd) },
                    new NpgsqlParameter<TimeSpan> { TypedValue = span },
                }
            );
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                // A sum may overflow to infinity, which no line can be drawn to.
                if (reader.GetDouble(2) is var mean && double.IsFinite(mean))
                    points.Add((reader.GetInt32(0), new(reader.GetDateTime(1), mean)));
            }
        }
        return points.ToLookup(row => row.EngineNo, row => row.Point);
    }
}
