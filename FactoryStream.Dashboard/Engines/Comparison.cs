namespace FactoryStream.Dashboard.Engines;

/// <summary>What an engine is compared with: itself some time before, or another engine at the same time.</summary>
/// <param name="Name">As links have it: <c>day</c> or <c>week</c>; null where it is another engine.</param>
/// <param name="Text">As a person reads it.</param>
/// <param name="Before">How long before.</param>
/// <param name="Engine">The other engine; null: the same one.</param>
public sealed record Comparison(string? Name, string Text, TimeSpan Before, (string FactoryId, string EngineId)? Engine)
{
    public static readonly IReadOnlyList<Comparison> Earlier =
    [
        new("day", "a day before", TimeSpan.FromDays(1), null),
        new("week", "a week before", TimeSpan.FromDays(7), null),
    ];

    public static Comparison With(string factoryId, string engineId) =>
        new(null, $"{engineId}, {factoryId}", TimeSpan.Zero, (factoryId, engineId));
}
