namespace FactoryStream.Simulator.Simulation;

/// <summary>All that the simulator logs. Never a private key.</summary>
internal sealed partial class SimulatorLog(ILogger<SimulatorLog> logger)
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "{Factories} factories of {Engines} engines at {Rate} Hz; keys in {Folder}",
        EventName = nameof(Starting)
    )]
    public partial void Starting(int factories, int engines, double rate, string folder);

    [LoggerMessage(2, LogLevel.Information, "Enrolled {Factories} factories; sending to {Ingest}", EventName = nameof(Enrolled))]
    public partial void Enrolled(int factories, Uri ingest);

    [LoggerMessage(3, LogLevel.Warning, "Not enrolled yet: {Why}", EventName = nameof(WaitingForVerifier))]
    public partial void WaitingForVerifier(string why);

    [LoggerMessage(4, LogLevel.Warning, "Readings wait and will be sent again: {Why}", EventName = nameof(Repeating))]
    public partial void Repeating(string why);

    [LoggerMessage(
        5,
        LogLevel.Information,
        "In the last minute {Acknowledged} readings acknowledged, {Refused} refused, {Repetitions} POSTs repeated, {Skipped} "
            + "readings not taken; {Waiting} POSTs wait",
        EventName = nameof(LastMinute)
    )]
    public partial void LastMinute(long acknowledged, long refused, long repetitions, long skipped, int waiting);

    [LoggerMessage(6, LogLevel.Information, "Paused: no reading is taken until resumed", EventName = nameof(Paused))]
    public partial void Paused();

    [LoggerMessage(7, LogLevel.Information, "Resumed", EventName = nameof(Resumed))]
    public partial void Resumed();

    [LoggerMessage(8, LogLevel.Warning, "Stopped with {Waiting} POSTs not acknowledged", EventName = nameof(StoppedWithWaiting))]
    public partial void StoppedWithWaiting(int waiting);

    [LoggerMessage(9, LogLevel.Critical, "{Message}", EventName = nameof(CannotGoOn))]
    public partial void CannotGoOn(string message);

    [LoggerMessage(10, LogLevel.Information, "Each engine measures {Rate} times a second now", EventName = nameof(RateChanged))]
    public partial void RateChanged(double rate);

    [LoggerMessage(11, LogLevel.Information, "The metrics' units are not told yet: {Why}", EventName = nameof(MetricsWait))]
    public partial void MetricsWait(string why);

    [LoggerMessage(
        12,
        LogLevel.Warning,
        "The metrics' units are not told, for {Why}; an operator can say them on the Dashboard's page /units",
        EventName = nameof(MetricsNotDescribed)
    )]
    public partial void MetricsNotDescribed(string why);
}
