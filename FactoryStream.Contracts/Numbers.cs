using System.Text.Json;

namespace FactoryStream.Contracts;

/// <summary>Metrics' numbers.</summary>
internal static class Numbers
{
    // Below 10^15 every whole number is a double, and so is every power of ten up to 10^22: then one division rounds as the standard asks.
    private const int MaxDigits = 15;

    private static ReadOnlySpan<double> PowersOfTen => [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    /// <summary>The number that the reader stands at, as near as a double comes; false when it is too large for one.</summary>
    public static bool TryGet(ref Utf8JsonReader json, out double value) =>
        TryGetShort(json.ValueSpan, out value) || (json.TryGetDouble(out value) && double.IsFinite(value));

    /// <summary>A JSON number of a few digits and without exponent, as sensors give them; false for any other.</summary>
    internal static bool TryGetShort(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        var isNegative = text[0] == '-';
        if (isNegative)
            text = text[1..];
        // The reader has seen that it is a number: nothing but digits, one point at most, or an exponent.
        if (text.Length > MaxDigits + 1)
            return false;
        long digits = 0;
        var decimals = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var digit = (uint)(text[i] - '0');
            if (digit <= 9)
                digits = digits * 10 + digit;
            else if (text[i] == '.')
                decimals = text.Length - i - 1;
            else
                return false;
        }
        if (digits >= 1_000_000_000_000_000)
            return false;
        value = digits / PowersOfTen[decimals];
        if (isNegative)
            value = -value;
        return true;
    }
}
