using System.Diagnostics.CodeAnalysis;
using FactoryStream.Contracts;

namespace FactoryStream.Dashboard.Units;

/// <summary>Where a page ended: its last metric's name, e.g. <c>["temp_oil"]</c> as a <see cref="CursorText"/>.</summary>
internal sealed record MetricsCursor(string Name)
{
    // 128 characters, each of them an escape of JSON, in base64.
    private const int MaxLength = 1_100;

    public static bool TryParse(string text, [NotNullWhen(true)] out MetricsCursor? cursor)
    {
        cursor = CursorText.TryParse(text, MaxLength, out var parts) && parts is [{ } name] && StorableText.IsName(name) ? new(name) : null;
        return cursor is not null;
    }

    public override string ToString() => CursorText.Of(Name);
}
