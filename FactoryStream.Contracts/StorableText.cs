using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace FactoryStream.Contracts;

/// <summary>
/// What PostgreSQL can hold as text: no NUL and no half of a surrogate pair. What comes from outside is asked before it goes there.
/// </summary>
public static class StorableText
{
    /// <summary>
    /// An id or a metric's name: 1 to 128 characters, none of them a control character (U+0000 to U+001F, U+007F to U+009F) or half a
    /// surrogate pair.
    /// </summary>
    public static bool IsName([NotNullWhen(true)] string? text)
    {
        if (text is not { Length: > 0 and <= ReadingParser.MaxNameLength })
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]))
                return false;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }
        return true;
    }

    /// <summary>
    /// A text as it can be stored: control characters and halves of surrogate pairs become U+FFFD, and what is beyond
    /// <paramref name="maxLength"/> is cut off.
    /// </summary>
    /// <param name="text">Text of any kind; null stays null.</param>
    /// <param name="maxLength">The most that is kept, in UTF-16 characters.</param>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Of(string? text, int maxLength = 1_000)
    {
        if (
            text is null
            || (
                text.Length <= maxLength
                && !text.AsSpan().ContainsAnyInRange('\0', '\x1F')
                && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')
                && !text.AsSpan().ContainsAnyInRange('\x7F', '\x9F')
            )
        )
            return text;
        var storable = new StringBuilder(Math.Min(text.Length, maxLength));
        foreach (var rune in text.EnumerateRunes())
        {
            if (storable.Length + rune.Utf16SequenceLength > maxLength)
                break;
            storable.Append(Rune.GetUnicodeCategory(rune) == UnicodeCategory.Control ? "\uFFFD" : rune.ToString());
        }
        return storable.ToString();
    }

    /// <summary>
    /// Whether a JSON string stands for a text that cannot be stored. The reader itself lets half a surrogate pair pass until somebody asks
    /// for the text, and then throws.
    /// </summary>
    /// <param name="raw">The string between its quotation marks, escapes and all, of well-formed JSON in valid UTF-8.</param>
    internal static bool IsBroken(ReadOnlySpan<byte> raw)
    {
        var isHighBefore = false;
        while (true)
        {
            var next = raw.IndexOf((byte)'\\');
            if (isHighBefore && next != 0)
                return true;
            if (next < 0)
                return false;
            if (raw[next + 1] != 'u')
            {
                if (isHighBefore)
                    return true;
                raw = raw[(next + 2)..];
                continue;
            }
            // Sample: \ud83d\ude00
            var unit = int.Parse(raw.Slice(next + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            var isLow = unit is >= 0xDC00 and <= 0xDFFF;
            if (unit == 0 || isLow != isHighBefore)
                return true;
            isHighBefore = unit is >= 0xD800 and <= 0xDBFF;
            raw = raw[(next + 6)..];
        }
    }
}
