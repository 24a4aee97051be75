namespace FactoryStream.Dashboard.Engines;

/// <summary>The address of an engine's page, relative to the Dashboard's own.</summary>
internal static class EngineAddress
{
    /// <summary>Names are the machines' own, and may hold what has a meaning in an address.</summary>
    public static string Of(string factoryId, string engineId) =>
        $"engines/{Uri.EscapeDataString(factoryId)}/{Uri.EscapeDataString(engineId)}";
}
