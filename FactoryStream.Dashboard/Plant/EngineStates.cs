using FactoryStream.Dashboard.Live;

namespace FactoryStream.Dashboard.Plant;

/// <summary>The states of engines: which one an engine is in, and how a state is shown.</summary>
internal static class EngineStates
{
    public static readonly IReadOnlyList<EngineState> All = Enum.GetValues<EngineState>();

    // A window closes in each ten seconds; one may come late by a commit, three do not.
    private const int MissedWindows = 3;

    /// <summary>
    /// By the clock and by when the newest window was written, not by the time of its readings: a plant that stands still is silent, and
    /// one that replays old readings is not.
    /// </summary>
    public static EngineState Of(EngineWindow newest, DateTime now) =>
        now - newest.UpdatedAt > MissedWindows * (newest.WindowEnd - newest.WindowStart) ? EngineState.Silent : EngineState.Normal;

    /// <summary>The state in a word, so that nobody has to tell colours apart.</summary>
    public static string Word(EngineState state) =>
        state switch
        {
            EngineState.Normal => "normal",
            EngineState.Silent => "silent",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "a state without a word"),
        };

    /// <summary>A symbol of a shape of its own.</summary>
    public static string Symbol(EngineState state) =>
        state switch
        {
            EngineState.Normal => "●",
            EngineState.Silent => "◌",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "a state without a symbol"),
        };
}
