namespace FactoryStream.Dashboard;

/// <summary>All that the Dashboard logs.</summary>
internal sealed partial class DashboardLog(ILogger<DashboardLog> logger)
{
    [LoggerMessage(1, LogLevel.Information, "Listening for closed windows; {Engines} engines have one.")]
    public partial void Listening(int engines);

    [LoggerMessage(2, LogLevel.Warning, "The database is away ({Reason}): what is shown stays as it was. Trying again.")]
    public partial void DatabaseAway(string reason);

    [LoggerMessage(3, LogLevel.Warning, "The books cannot be drawn up: {Reason}. Trying again.")]
    public partial void BooksAway(string reason);

    [LoggerMessage(4, LogLevel.Information, "The books can be drawn up again.")]
    public partial void BooksBack();

    [LoggerMessage(5, LogLevel.Warning, "Engine {FactoryId}/{EngineId} cannot be drawn: {Reason}.")]
    public partial void ChartAway(string factoryId, string engineId, string reason);
}
