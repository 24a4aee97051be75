using System.Diagnostics.CodeAnalysis;

namespace FactoryStream.Dashboard.Readings;

/// <summary>
/// Where a page ended: time and SHA-256 of its last reading, e.g. <c>["639076616000000000","e3b0c442...b855"]</c> as a
/// <see cref="CursorText"/>.
/// </summary>
internal sealed record ReadingsCursor(DateTime MeasuredAt, string DataSha256)
{
    private const int MaxLength = 256;

    public static ReadingsCursor Behind(ReadingEvidence reading) => new(reading.MeasuredAt, reading.DataSha256);

    public static bool TryParse(string text, [NotNullWhen(true)] out ReadingsCursor? cursor)
    {
        cursor = null;
        if (
            !CursorText.TryParse(text, MaxLength, out var parts)
            || parts is not [{ } at, { Length: 64 } sha256]
            || !CursorText.TryParseTime(at, DateTime.UnixEpoch, out var measuredAt)
            || !sha256.All(char.IsAsciiHexDigit)
        )
            return false;
        cursor = new(measuredAt, sha256);
        return true;
    }

    public override string ToString() => CursorText.Of(CursorText.Ticks(MeasuredAt), DataSha256);
}
