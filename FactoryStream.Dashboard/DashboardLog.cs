namespace FactoryStream.Dashboard;

internal static partial class DashboardLog
{
    [LoggerMessage(1, LogLevel.Warning, "The database does not tell of new windows ({Reason}); trying again in {Seconds} s")]
    public static partial void ListenerLost(this ILogger logger, string reason, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Told of new windows by the database; {Engines} engines have one")]
    public static partial void Listening(this ILogger logger, int engines);
}
