namespace FactoryStream.Simulator.Simulation;

internal static partial class SimulatorLog
{
    [LoggerMessage(1, LogLevel.Information, "{Factories} factories of {Engines} engines at {Rate} Hz; keys in {Folder}")]
    public static partial void Starting(this ILogger logger, int factories, int engines, double rate, string folder);

    [LoggerMessage(2, LogLevel.Information, "Enrolled {Factories} factories; sending to {Ingest}")]
    public static partial void Enrolled(this ILogger logger, int factories, Uri ingest);

    [LoggerMessage(3, LogLevel.Warning, "Not enrolled yet: {Why}")]
    public static partial void WaitingForVerifier(this ILogger logger, string why);

    [LoggerMessage(4, LogLevel.Warning, "Readings wait and will be sent again: {Why}")]
    public static partial void Repeating(this ILogger logger, string why);

    [LoggerMessage(
        5,
        LogLevel.Information,
        "In the last minute {Acknowledged} readings acknowledged, {Refused} refused, {Repetitions} POSTs repeated, {Skipped} "
            + "readings not taken; {Waiting} POSTs wait"
    )]
    public static partial void LastMinute(
        this ILogger logger,
        long acknowledged,
        long refused,
        long repetitions,
        long skipped,
        int waiting
    );

    [LoggerMessage(6, LogLevel.Information, "Paused: no reading is taken until resumed")]
    public static partial void Paused(this ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "Resumed")]
    public static partial void Resumed(this ILogger logger);

    [LoggerMessage(8, LogLevel.Warning, "Stopped with {Waiting} POSTs not acknowledged")]
    public static partial void StoppedWithWaiting(this ILogger logger, int waiting);

    [LoggerMessage(9, LogLevel.Critical, "{Message}")]
    public static partial void CannotGoOn(this ILogger logger, string message);

    [LoggerMessage(10, LogLevel.Information, "Each engine measures {Rate} times a second now")]
    public static partial void RateChanged(this ILogger logger, double rate);
}
