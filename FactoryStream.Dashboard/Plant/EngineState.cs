namespace FactoryStream.Dashboard.Plant;

/// <summary>What the plant's page says of an engine; what is worse stands later.</summary>
public enum EngineState
{
    /// <summary>Its windows close.</summary>
    Normal,

    /// <summary>No window of it was written for longer than three windows last.</summary>
    Silent,

    /// <summary>An alert of the severity warning is raised of it.</summary>
    Warning,

    /// <summary>An alert of the severity alarm is raised of it.</summary>
    Alarm,
}
