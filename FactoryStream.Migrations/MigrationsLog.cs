namespace FactoryStream.Migrations;

/// <summary>All that Migrations logs. Never a password.</summary>
internal sealed partial class MigrationsLog(ILogger<MigrationsLog> logger)
{
    [LoggerMessage(1, LogLevel.Information, "Waiting for {What}: {Reason}", EventName = nameof(Waiting))]
    public partial void Waiting(string what, string reason);

    [LoggerMessage(2, LogLevel.Information, "The schema is ready; {Count} migrations applied.", EventName = nameof(Migrated))]
    public partial void Migrated(int count);

    [LoggerMessage(3, LogLevel.Information, "The topics are ready; {Created} of {All} created.", EventName = nameof(TopicsReady))]
    public partial void TopicsReady(int created, int all);

    [LoggerMessage(5, LogLevel.Information, "Another program created the topics at the same time.", EventName = nameof(TopicsThere))]
    public partial void TopicsThere();

    [LoggerMessage(6, LogLevel.Information, "{Topic} has new settings: {Settings}.", EventName = nameof(TopicAltered))]
    public partial void TopicAltered(string topic, string settings);

    [LoggerMessage(
        7,
        LogLevel.Warning,
        "The topics' settings stay as they are, because the broker does not allow changes: {Reason}. "
            + "Have its administrator set them, or set Migrations:AlterTopics to false.",
        EventName = nameof(SettingsLeft)
    )]
    public partial void SettingsLeft(string reason);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "{Topic} keeps more than Migrations is to set, and {Waiting} messages of a partition are not stored yet: "
            + "{Setting} stays as it is. Run Migrations again when they are stored.",
        EventName = nameof(RetentionLeft)
    )]
    public partial void RetentionLeft(string topic, long waiting, string setting);

    [LoggerMessage(9, LogLevel.Warning, "Engines are spread over {Partitions} partitions from now on.", EventName = nameof(Repartitioned))]
    public partial void Repartitioned(int partitions);
}
