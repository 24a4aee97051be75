using FactoryStream.Dashboard.Live;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Plant;

/// <summary>The plant at one moment: the counts of all engines, and rows of those that the filter lets through.</summary>
internal sealed class PlantView
{
    private readonly Dictionary<EngineState, int> counts = [];

    private PlantView(IReadOnlyList<PlantRow> rows) => Rows = rows;

    public IReadOnlyList<PlantRow> Rows { get; }

    /// <summary>Engines in the rows.</summary>
    public int Shown => Rows.Sum(row => row.Tiles.Count);

    /// <summary>Factories that have recent rejections.</summary>
    public int RejectingFactories { get; private init; }

    /// <summary>Of all engines that are not silent.</summary>
    public double ReadingsPerSecond { get; private set; }

    /// <summary>All engines in a state, whatever the filter.</summary>
    public int Count(EngineState state) => counts.GetValueOrDefault(state);

    /// <param name="engines">By factory and engine.</param>
    /// <param name="alerts">The worst raised alert of engines that have one, by the engine's number.</param>
    /// <param name="rejections">Recent rejections by factory.</param>
    /// <param name="filter">Which engines are shown.</param>
    /// <param name="now">The time that states are told by.</param>
    public static PlantView Of(
        IReadOnlyList<EngineWindow> engines,
        IReadOnlyDictionary<int, AlertSeverity> alerts,
        IReadOnlyDictionary<string, long> rejections,
        PlantFilter filter,
        DateTime now
    )
    {
        var words = filter.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var shown = new List<Tile>();
        var rows = new List<PlantRow>();
        var view = new PlantView(rows) { RejectingFactories = rejections.Count(factory => factory.Value > 0) };
        foreach (var engine in engines)
        {
            AlertSeverity? raised = alerts.TryGetValue(engine.EngineNo, out var severity) ? severity : null;
            var tile = new Tile(engine, EngineStates.Of(engine, now, raised));
            view.counts[tile.State] = view.Count(tile.State) + 1;
            if (!EngineStates.IsSilent(engine, now))
                view.ReadingsPerSecond += engine.ReadingsPerSecond;
            if (
                (filter.State is null || filter.State == tile.State)
                && (!filter.OnlyRejecting || rejections.GetValueOrDefault(engine.FactoryId) > 0)
                && Array.TrueForAll(words, word => Has(engine.EngineId, word) || Has(engine.FactoryId, word))
            )
                shown.Add(tile);
        }
        foreach (var factory in shown.GroupBy(tile => tile.Engine.FactoryId))
        {
            var isFirst = true;
            foreach (var tiles in factory.Chunk(PlantRow.MaxEngines))
            {
                rows.Add(new(factory.Key, isFirst, rejections.GetValueOrDefault(factory.Key), tiles));
                isFirst = false;
            }
        }
        return view;
    }

    private static bool Has(string id, string word) => id.Contains(word, StringComparison.OrdinalIgnoreCase);
}
