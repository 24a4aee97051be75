using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Dashboard.Rejections;

/// <summary>
/// Where a page ended: time and id of its last rejection. To clients it is an opaque text, base64url of e.g.
/// <c>["639076616000000000","1234"]</c>.
/// </summary>
internal sealed record RejectionsCursor(DateTime RejectedAt, long Id)
{
    private const int MaxLength = 128;

    public static RejectionsCursor Behind(Rejection rejection) => new(rejection.RejectedAt, rejection.Id);

    public static bool TryParse(string text, [NotNullWhen(true)] out RejectionsCursor? cursor)
    {
        cursor = null;
        if (text.Length > MaxLength || !Base64Url.IsValid(text))
            return false;
        try
        {
            if (
                JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), CursorJson.Default.StringArray) is not [{ } at, { } no]
                || !long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                || !long.TryParse(no, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || ticks >= DateTime.MaxValue.Ticks
            )
                return false;
            cursor = new(new DateTime(ticks, DateTimeKind.Utc), id);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public override string ToString() =>
        Base64Url.EncodeToString(
            JsonSerializer.SerializeToUtf8Bytes(
                [RejectedAt.Ticks.ToString(CultureInfo.InvariantCulture), Id.ToString(CultureInfo.InvariantCulture)],
                CursorJson.Default.StringArray
            )
        );
}
