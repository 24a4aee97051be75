using System.Collections.Immutable;

namespace FactoryStream.Dashboard.Windows;

/// <summary>What is known of every engine's newest closed window.</summary>
/// <param name="Engines">By factory and engine, ordinal.</param>
/// <param name="IsLoaded">False until they were read for the first time.</param>
/// <param name="IsLive">False while the database is away: then the engines are as they were.</param>
public sealed record LatestWindows(ImmutableArray<EngineWindow> Engines, bool IsLoaded, bool IsLive)
{
    public static LatestWindows None { get; } = new([], IsLoaded: false, IsLive: false);

    /// <summary>The factories that have an engine here, in order.</summary>
    public ImmutableArray<string> Factories { get; } = [.. Engines.Select(engine => engine.FactoryId).Distinct()];

    /// <summary>These engines with others put in their place or among them.</summary>
    public LatestWindows With(IReadOnlyCollection<EngineWindow> changed)
    {
        var all = Engines.ToDictionary(engine => engine.EngineNo);
        foreach (var engine in changed)
            all[engine.EngineNo] = engine;
        return Of(all.Values);
    }

    public static LatestWindows Of(IEnumerable<EngineWindow> engines) => new(
        [.. engines.OrderBy(engine => engine.FactoryId, StringComparer.Ordinal).ThenBy(engine => engine.EngineId, StringComparer.Ordinal)],
        IsLoaded: true, IsLive: true);

    /// <summary>The engines of one factory, or all for null.</summary>
    public IEnumerable<EngineWindow> Of(string? factoryId) => factoryId is null ? Engines : Engines.Where(engine => engine.FactoryId == factoryId);

    public EngineWindow? Find(string? factoryId, string? engineId) => Engines.FirstOrDefault(engine => engine.FactoryId == factoryId && engine.EngineId == engineId);
}
