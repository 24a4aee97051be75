namespace FactoryStream.Dashboard.Engines;

/// <summary>A time that ends at the engine's newest window and moves on with it.</summary>
/// <param name="Name">As links have it, e.g. <c>1h</c>.</param>
/// <param name="Text">As a person reads it.</param>
/// <param name="Span">How long it is.</param>
public sealed record LiveRange(string Name, string Text, TimeSpan Span)
{
    public static readonly IReadOnlyList<LiveRange> All =
    [
        new("15m", "15 min", TimeSpan.FromMinutes(15)),
        new("1h", "1 h", TimeSpan.FromHours(1)),
        new("6h", "6 h", TimeSpan.FromHours(6)),
        new("24h", "24 h", TimeSpan.FromHours(24)),
        new("7d", "7 d", TimeSpan.FromDays(7)),
        new("30d", "30 d", TimeSpan.FromDays(30)),
    ];

    public static LiveRange Default => All[0];
}
