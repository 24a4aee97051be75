using System.Buffers;
using System.Buffers.Text;

namespace FactoryStream.Contracts;

/// <summary>
/// A signature as text. A signature is its bytes, and senders write them in many ways: with line breaks (MIME, OpenSSL, Python's
/// <c>encodebytes</c>), without padding, with the letters of base64url. Onward it goes in one: base64 (RFC 4648, section 4) with padding
/// and nothing else, so that no sender's text can break a line-framed message.
/// </summary>
internal static class SignatureText
{
    /// <summary>Whether a text is already in the one form that goes onward.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text.Length % 4 != 0)
            return false;
        var padding =
            text[^1] != '=' ? 0
            : text[^2] != '=' ? 1
            : 2;
        // White space is valid base64 to the library; where there is some, fewer bytes come out than the length promises.
        if (!Base64.IsValid(text, out var length) || length != text.Length / 4 * 3 - padding)
            return false;
        // The last letter may have bits that belong to no byte: one signature would then have several texts.
        return padding == 0 || (ValueOf(text[^(padding + 1)]) & (padding == 1 ? 0b11 : 0b1111)) == 0;
    }

    /// <summary>The one text of the signature that <paramref name="text"/> is a text of; null when it is no signature's.</summary>
    /// <param name="text">The text as it came, JSON's escapes resolved.</param>
    public static byte[]? Canonical(ReadOnlySpan<byte> text)
    {
        var letters = new byte[text.Length + 3];
        var count = 0;
        foreach (var letter in text)
        {
            if (letter is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                continue;
            letters[count++] = letter switch
            {
                (byte)'-' => (byte)'+',
                (byte)'_' => (byte)'/',
                _ => letter,
            };
        }
        // Padding says nothing that the length does not say; none, or too little of it, is what some senders write.
        var padded = count;
        count = letters.AsSpan(0, count).TrimEnd((byte)'=').Length;
        var padding = (4 - count % 4) % 4;
        if (count == 0 || padding == 3 || padded - count > padding)
            return null;
        letters.AsSpan(count, padding).Fill((byte)'=');
        count += padding;
        var bytes = new byte[count / 4 * 3];
        if (Base64.DecodeFromUtf8(letters.AsSpan(0, count), bytes, out _, out var length) != OperationStatus.Done)
            return null;
        var canonical = new byte[Base64.GetMaxEncodedToUtf8Length(length)];
        Base64.EncodeToUtf8(bytes.AsSpan(0, length), canonical, out _, out _);
        return canonical;
    }

    private static int ValueOf(byte letter) =>
        letter switch
        {
            >= (byte)'A' and <= (byte)'Z' => letter - 'A',
            >= (byte)'a' and <= (byte)'z' => letter - 'a' + 26,
            >= (byte)'0' and <= (byte)'9' => letter - '0' + 52,
            (byte)'+' => 62,
            _ => 63,
        };
}
