using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Simulator.Simulation;

internal static class SimulatorEndpoints
{
    /// <summary>
    /// The AppHost's commands: <c>POST /pause</c>, <c>POST /resume</c>, and <c>POST /rate?readings=5</c>, of each engine a second.
    /// </summary>
    public static void MapSimulator(this WebApplication app)
    {
        app.MapPost("/pause", (Pace pace, SimulatorLog log) => Pause(pace, true, log));
        app.MapPost("/resume", (Pace pace, SimulatorLog log) => Pause(pace, false, log));
        app.MapPost("/rate", ChangeRate);
    }

    private static Ok<SimulatorState> Pause(Pace pace, bool isPaused, SimulatorLog log)
    {
        if (pace.IsPaused != isPaused)
        {
            pace.IsPaused = isPaused;
            if (isPaused)
                log.Paused();
            else
                log.Resumed();
        }
        return TypedResults.Ok(StateOf(pace));
    }

    private static Results<Ok<SimulatorState>, ProblemHttpResult> ChangeRate(double? readings, Pace pace, SimulatorLog log)
    {
        if (readings is not (>= SimulatorOptions.MinRate and <= SimulatorOptions.MaxRate and var rate))
        {
            return TypedResults.Problem(
                $"readings: expected a number from {SimulatorOptions.MinRate} to {SimulatorOptions.MaxRate}, as in POST /rate?readings=5",
                statusCode: StatusCodes.Status400BadRequest
            );
        }
        if (rate != pace.Rate)
        {
            pace.ChangeRate(rate);
            log.RateChanged(rate);
        }
        return TypedResults.Ok(StateOf(pace));
    }

    private static SimulatorState StateOf(Pace pace) => new(pace.IsPaused, pace.Rate);
}

/// <param name="Paused">No reading is taken.</param>
/// <param name="Rate">Readings of each engine a second, when it is not paused.</param>
internal sealed record SimulatorState(bool Paused, double Rate);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SimulatorState))]
internal sealed partial class SimulatorJson : JsonSerializerContext;
