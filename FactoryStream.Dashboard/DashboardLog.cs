namespace FactoryStream.Dashboard;

internal static partial class DashboardLog
{
    [LoggerMessage(1, LogLevel.Information, "Listening for closed windows; {Engines} engines, loaded in {Milliseconds} ms")]
    public static partial void Listening(this ILogger logger, int engines, long milliseconds);

    [LoggerMessage(2, LogLevel.Warning, "The database is away, what is shown may be old: {Reason}")]
    public static partial void ListenerLost(this ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Warning, "A notification of {Length} characters is none of ours: all engines are read again")]
    public static partial void ForeignNotification(this ILogger logger, int length);

    [LoggerMessage(4, LogLevel.Warning, "No ledger for the moment: {Reason}")]
    public static partial void LedgerUnavailable(this ILogger logger, string reason);
}
