using FactoryStream.Dashboard.Live;

namespace FactoryStream.Dashboard.Plant;

/// <summary>Some engines of one factory, side by side.</summary>
/// <param name="FactoryId">Whose they are.</param>
/// <param name="IsFirst">The factory's first row, which has its name.</param>
/// <param name="Rejections">The factory's recent rejections.</param>
/// <param name="Tiles">At most <see cref="MaxEngines"/>.</param>
public sealed record PlantRow(string FactoryId, bool IsFirst, long Rejections, IReadOnlyList<Tile> Tiles)
{
    /// <summary>Six fit on a wide screen, and go evenly into three columns, two and one.</summary>
    public const int MaxEngines = 6;
}

/// <summary>An engine with its state.</summary>
public readonly record struct Tile(EngineWindow Engine, EngineState State);
