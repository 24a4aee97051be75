namespace FactoryStream.Dashboard.Plant;

/// <summary>What the plant's page says of an engine; what is worse stands later.</summary>
public enum EngineState
{
    /// <summary>Its windows close.</summary>
    Normal,

    /// <summary>No window of it was written for longer than three windows last.</summary>
    Silent,
}
