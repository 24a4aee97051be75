namespace FactoryStream.Dashboard.Plant;

/// <summary>Which engines are shown.</summary>
/// <param name="Text">Words that all are in the engine's or its factory's id, in small or capital letters; "" for all.</param>
/// <param name="State">Null: any.</param>
/// <param name="OnlyRejecting">Only those of factories that have recent rejections.</param>
internal sealed record PlantFilter(string Text, EngineState? State, bool OnlyRejecting)
{
    public static readonly PlantFilter None = new("", null, false);
}
