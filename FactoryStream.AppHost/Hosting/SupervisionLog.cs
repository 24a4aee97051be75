using Microsoft.Extensions.Logging;

namespace FactoryStream.AppHost.Hosting;

/// <summary>What is said of resources, on their own consoles.</summary>
internal static partial class SupervisionLog
{
    [LoggerMessage(
        1,
        LogLevel.Warning,
        "It ended with exit code {ExitCode} and is started again in {Seconds} s.",
        EventName = nameof(StartedAgain)
    )]
    public static partial void StartedAgain(ILogger logger, int? exitCode, double seconds);

    [LoggerMessage(
        2,
        LogLevel.Error,
        "It ended with exit code {ExitCode}, {Times} times in a row. What waits for it will not start.",
        EventName = nameof(GivenUp)
    )]
    public static partial void GivenUp(ILogger logger, int? exitCode, int times);

    [LoggerMessage(3, LogLevel.Warning, "It did not end within {Seconds} s and is killed.", EventName = nameof(Killed))]
    public static partial void Killed(ILogger logger, double seconds);

    [LoggerMessage(
        4,
        LogLevel.Information,
        "A PostgreSQL of an earlier run (process {Pid}) is stopped first.",
        EventName = nameof(EarlierPostgres)
    )]
    public static partial void EarlierPostgres(ILogger logger, int pid);

    [LoggerMessage(
        5,
        LogLevel.Critical,
        "Aspire's orchestrator (process {Pid}) has ended: the application is stopped in good order.",
        EventName = nameof(OrchestratorGone)
    )]
    public static partial void OrchestratorGone(ILogger logger, int pid);

    [LoggerMessage(6, LogLevel.Error, "It could not be started again: {Reason}", EventName = nameof(CannotStart))]
    public static partial void CannotStart(ILogger logger, string? reason);

    [LoggerMessage(7, LogLevel.Information, "{Line}", EventName = nameof(Draining))]
    public static partial void Draining(ILogger logger, string line);

    [LoggerMessage(8, LogLevel.Information, "It was stopped by a command and stays so.", EventName = nameof(StaysStopped))]
    public static partial void StaysStopped(ILogger logger);
}
