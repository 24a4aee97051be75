using FactoryStream.Dashboard.Live;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Plant;

/// <summary>The states of engines: which one an engine is in, and how a state is shown.</summary>
internal static class EngineStates
{
    public static readonly IReadOnlyList<EngineState> All = Enum.GetValues<EngineState>();

    // A window closes in each ten seconds; one may come late by a commit, three do not.
    private const int MissedWindows = 3;

    /// <summary>What is worst of an engine: its alerts stand above silence, which may be what they are of.</summary>
    /// <param name="newest">Its newest window.</param>
    /// <param name="now">The time that silence is told by.</param>
    /// <param name="raised">The worst of its raised alerts; null: it has none.</param>
    public static EngineState Of(EngineWindow newest, DateTime now, AlertSeverity? raised = null) =>
        raised switch
        {
            AlertSeverity.Alarm => EngineState.Alarm,
            AlertSeverity.Warning => EngineState.Warning,
            _ => IsSilent(newest, now) ? EngineState.Silent : EngineState.Normal,
        };

    /// <summary>
    /// By the clock and by when the newest window was written, not by the time of its readings: a plant that stands still is silent, and
    /// one that replays old readings is not.
    /// </summary>
    public static bool IsSilent(EngineWindow newest, DateTime now) =>
        now - newest.UpdatedAt > MissedWindows * (newest.WindowEnd - newest.WindowStart);

    /// <summary>The state in a word, so that nobody has to tell colours apart.</summary>
    public static string Word(EngineState state) =>
        state switch
        {
            EngineState.Normal => "normal",
            EngineState.Silent => "silent",
            EngineState.Warning => "warning",
            EngineState.Alarm => "alarm",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "a state without a word"),
        };

    /// <summary>A symbol of a shape of its own.</summary>
    public static string Symbol(EngineState state) =>
        state switch
        {
            EngineState.Normal => "●",
            EngineState.Silent => "◌",
            EngineState.Warning => "▲",
            EngineState.Alarm => "◆",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "a state without a symbol"),
        };
}
