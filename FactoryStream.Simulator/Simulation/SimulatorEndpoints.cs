using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Simulator.Simulation;

internal static class SimulatorEndpoints
{
    /// <summary><c>POST /pause</c> and <c>POST /resume</c>: the AppHost's commands.</summary>
    public static void MapSimulator(this WebApplication app)
    {
        app.MapPost("/pause", (Switch running, ILogger<SimulationWorker> logger) => Turn(running, false, logger));
        app.MapPost("/resume", (Switch running, ILogger<SimulationWorker> logger) => Turn(running, true, logger));
    }

    private static Ok<SimulatorState> Turn(Switch running, bool on, ILogger logger)
    {
        if (running.IsOn != on)
        {
            running.Turn(on);
            if (on)
                logger.Resumed();
            else
                logger.Paused();
        }
        return TypedResults.Ok(new SimulatorState(Paused: !on));
    }
}

internal sealed record SimulatorState(bool Paused);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SimulatorState))]
internal sealed partial class SimulatorJson : JsonSerializerContext;
