using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace FactoryStream.Dashboard.Explanations;

/// <summary>
/// The signatures that a machine may have meant by what it sent. Base64url and white space are none of its faults: they are decoded as
/// base64 is.
/// </summary>
internal static class SignatureForms
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>As it came first; the cause is null there.</summary>
    /// <param name="signature">The bytes that were sent, out of their base64.</param>
    public static IEnumerable<(SignatureCause? Cause, byte[] Signature)> Of(byte[] signature)
    {
        yield return (null, signature);
        byte[] reversed = [.. signature];
        Array.Reverse(reversed);
        yield return (SignatureCause.ReversedBytes, reversed);

        // Hexadecimal digits are letters of base64, too: what was decoded from it, encoded again, is the digits as they were sent.
        var texts = new List<string> { Convert.ToBase64String(signature) };
        if (!signature.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            var text = Encoding.ASCII.GetString(signature);
            texts.Add(text);
            var letters = text.Replace('+', '-').Replace('/', '_');
            if (Base64Url.IsValid(letters))
                yield return (SignatureCause.DoubleBase64, Base64Url.DecodeFromChars(letters));
        }
        foreach (var text in texts)
        {
            if (text.Length % 2 == 0 && text.AsSpan().IndexOfAnyExcept(HexDigits) < 0)
                yield return (SignatureCause.Hexadecimal, Convert.FromHexString(text));
        }
    }
}
