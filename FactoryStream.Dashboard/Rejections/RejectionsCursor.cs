using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FactoryStream.Dashboard.Rejections;

/// <summary>
/// Where a page ended: time and id of its last rejection, e.g. <c>["639076616000000000","1234"]</c> as a <see cref="CursorText"/>.
/// </summary>
internal sealed record RejectionsCursor(DateTime RejectedAt, long Id)
{
    private const int MaxLength = 128;

    public static RejectionsCursor Behind(Rejection rejection) => new(rejection.RejectedAt, rejection.Id);

    public static bool TryParse(string text, [NotNullWhen(true)] out RejectionsCursor? cursor)
    {
        cursor = null;
        if (
            !CursorText.TryParse(text, MaxLength, out var parts)
            || parts is not [{ } at, { } no]
            || !CursorText.TryParseTime(at, DateTime.MinValue, out var rejectedAt)
            || !long.TryParse(no, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        )
            return false;
        cursor = new(rejectedAt, id);
        return true;
    }

    public override string ToString() => CursorText.Of(CursorText.Ticks(RejectedAt), Id.ToString(CultureInfo.InvariantCulture));
}
