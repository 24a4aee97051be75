using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FactoryStream.Dashboard;

/// <summary>
/// Where a page of rows in the order of time ended: time and number of its last row, e.g. <c>["639076616000000000","1234"]</c> as a
/// <see cref="CursorText"/>.
/// </summary>
internal sealed record RowCursor(DateTime Time, long Number)
{
    private const int MaxLength = 128;

    public static bool TryParse(string text, [NotNullWhen(true)] out RowCursor? cursor)
    {
        cursor = null;
        if (
            !CursorText.TryParse(text, MaxLength, out var parts)
            || parts is not [{ } at, { } no]
            || !CursorText.TryParseTime(at, DateTime.MinValue, out var time)
            || !long.TryParse(no, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        )
            return false;
        cursor = new(time, number);
        return true;
    }

    public override string ToString() => CursorText.Of(CursorText.Ticks(Time), Number.ToString(CultureInfo.InvariantCulture));
}
