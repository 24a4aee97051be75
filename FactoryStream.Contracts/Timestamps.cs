namespace FactoryStream.Contracts;

/// <summary>
/// A reading's <c>timestamp</c>: <c>yyyy-MM-dd HH:mm:ss[.fff]</c> taken as UTC, all of RFC 3339, ISO 8601's basic form, or a number since
/// 1970 whose magnitude tells seconds, milliseconds, microseconds and nanoseconds apart. A time without an offset is UTC. Nothing is
/// guessed: a date in another order is none.
/// </summary>
public static class Timestamps
{
    /// <summary>What a timestamp is told to look like when it is none.</summary>
    public const string Expected = "2026-02-25T06:13:20Z";

    /// <summary>What one that lies before 1970 is told.</summary>
    public const string ExpectedSince = "1970-01-01T00:00:00Z or later";

    // Seconds below 1e11 (the year 5138), milliseconds below 1e14, and so forth: each unit begins where the one before it ends.
    private const int SecondsDigits = 11,
        MillisecondsDigits = 14,
        MicrosecondsDigits = 17;

    // More digits than any time has in whole ticks, of any unit; what stands behind them cannot reach a tick.
    private const int MaxDigits = 30;

    // No exponent that fits into a timestamp's length needs more to tell that it is far too large or small.
    private const int FarExponent = 100_000;

    private static readonly ulong Last = (ulong)(DateTime.MaxValue - DateTime.UnixEpoch).Ticks;

    private static readonly UInt128[] PowersOfTen = MakePowersOfTen();

    /// <summary>Parses a timestamp to UTC in whole microseconds (further digits are cut off).</summary>
    /// <param name="text">e.g. <c>2026-02-25 06:13:20</c>, <c>2026-02-25T07:13:20,125+01</c>, <c>20260225T061320Z</c>,
    /// <c>2016-12-31T23:59:60Z</c>.</param>
    /// <param name="utc">The time, of kind UTC, 1970 or later.</param>
    /// <param name="expected">What is expected instead, when it is none.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTime utc, out string expected)
    {
        utc = default;
        expected = Expected;
        if (
            !TryDate(ref text, out var date, out var isBasic)
            || !TryTime(ref text, isBasic, out var time, out var isLeap)
            || !TryOffset(text, out var offset)
        )
            return false;
        var ticks = date + time - offset;
        // A leap second is the last of a day in UTC, and is counted as the first of the next, as every clock without leap seconds does.
        if (isLeap && (ticks - DateTime.UnixEpoch.Ticks) % TimeSpan.TicksPerDay >= TimeSpan.TicksPerSecond)
            return false;
        return TryTicks(ticks, out utc, ref expected);
    }

    /// <summary>Parses a number since 1970 to UTC in whole microseconds (further digits are cut off).</summary>
    /// <param name="number">A JSON number, e.g. <c>1772000000</c>, <c>1772000000.125</c>, <c>1772000000125</c>,
    /// <c>1772000000125000000</c>.</param>
    /// <param name="utc">The time, of kind UTC, 1970 or later.</param>
    /// <param name="expected">What is expected instead, when it is none.</param>
    public static bool TryParseNumber(ReadOnlySpan<byte> number, out DateTime utc, out string expected)
    {
        utc = default;
        expected = Expected;
        if (!TryDigits(number, out var isNegative, out var digits, out var count, out var exponent))
            return false;
        if (digits == 0)
            return TryTicks(DateTime.UnixEpoch.Ticks, out utc, ref expected);
        if (isNegative)
        {
            expected = ExpectedSince;
            return false;
        }
        // So many digits stand before the point. All of it in whole numbers: a decimal or a double would round up into the next second, or
        // down to nothing.
        var magnitude = count + exponent;
        var shift =
            exponent
            + magnitude switch
            {
                <= SecondsDigits => 7,
                <= MillisecondsDigits => 4,
                <= MicrosecondsDigits => 1,
                _ => -2,
            };
        if (magnitude > MicrosecondsDigits + 4)
            return false;
        var ticks =
            shift >= 0 ? digits * PowersOfTen[shift]
            : -shift < PowersOfTen.Length ? digits / PowersOfTen[-shift]
            : 0;
        return ticks <= Last && TryTicks(DateTime.UnixEpoch.Ticks + (long)ticks, out utc, ref expected);
    }

    /// <summary>Takes a JSON number apart: <c>-1772.50e6</c> is minus 177250 of 6 digits with the exponent 4.</summary>
    private static bool TryDigits(ReadOnlySpan<byte> number, out bool isNegative, out UInt128 digits, out int count, out int exponent)
    {
        (isNegative, digits, count, exponent) = (number is [(byte)'-', ..], 0, 0, 0);
        var at = isNegative ? 1 : 0;
        var hasDigit = false;
        var isFraction = false;
        for (; at < number.Length && number[at] is var next && (char.IsAsciiDigit((char)next) || (next == '.' && !isFraction)); at++)
        {
            if (next == '.')
            {
                isFraction = true;
                continue;
            }
            hasDigit = true;
            var isKept = count < MaxDigits;
            if (isKept && (count > 0 || next != '0'))
            {
                digits = digits * 10 + (uint)(next - '0');
                count++;
            }
            // A digit before the point that is not kept still counts; one behind it does where it is kept, leading zeros as well.
            exponent += (isFraction ? -1 : 0) + (isKept ? 0 : 1);
        }
        if (!hasDigit || at == number.Length)
            return hasDigit;
        if (number[at] is not ((byte)'e' or (byte)'E'))
            return false;
        var power = number[(at + 1)..];
        var isSmall = power is [(byte)'-', ..];
        if (power is [(byte)'-' or (byte)'+', ..])
            power = power[1..];
        if (power.IsEmpty)
            return false;
        var given = 0;
        foreach (var digit in power)
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            given = Math.Min(FarExponent, given * 10 + (digit - '0'));
        }
        exponent += isSmall ? -given : given;
        return true;
    }

    private static UInt128[] MakePowersOfTen()
    {
        var powers = new UInt128[39];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++)
            powers[i] = powers[i - 1] * 10;
        return powers;
    }

    private static bool TryTicks(long ticks, out DateTime utc, ref string expected)
    {
        utc = default;
        if (ticks < DateTime.UnixEpoch.Ticks)
        {
            expected = ExpectedSince;
            return false;
        }
        if (ticks > DateTime.MaxValue.Ticks)
            return false;
        // PostgreSQL keeps no more.
        utc = new DateTime(ticks - ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
        return true;
    }

    /// <summary>Takes <c>2026-02-25T</c> or <c>20260225T</c> off; a space may stand for the T.</summary>
    private static bool TryDate(ref ReadOnlySpan<byte> text, out long ticks, out bool isBasic)
    {
        ticks = 0;
        isBasic = text.Length > 4 && text[4] != '-';
        var length = isBasic ? 8 : 10;
        if (text.Length <= length || text[length] is not ((byte)'T' or (byte)'t' or (byte)' ') || (!isBasic && text[7] != '-'))
            return false;
        if (
            !Digits(text[..4], out var year)
            || !Digits(isBasic ? text[4..6] : text[5..7], out var month)
            || !Digits(isBasic ? text[6..8] : text[8..10], out var day)
        )
            return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        ticks = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks;
        text = text[(length + 1)..];
        return true;
    }

    /// <summary>Takes <c>06:13:20.125</c> or <c>061320,125</c> off.</summary>
    private static bool TryTime(ref ReadOnlySpan<byte> text, bool isBasic, out long ticks, out bool isLeap)
    {
        (ticks, isLeap) = (0, false);
        var length = isBasic ? 6 : 8;
        if (text.Length < length || (!isBasic && (text[2] != ':' || text[5] != ':')))
            return false;
        if (
            !Digits(text[..2], out var hour)
            || !Digits(isBasic ? text[2..4] : text[3..5], out var minute)
            || !Digits(text[(length - 2)..length], out var second)
        )
            return false;
        if (hour > 23 || minute > 59 || second > 60)
            return false;
        isLeap = second == 60;
        ticks = ((hour * 60L + minute) * 60 + second) * TimeSpan.TicksPerSecond;
        text = text[length..];
        if (text.IsEmpty || text[0] is not ((byte)'.' or (byte)','))
            return true;
        var digits = 1;
        for (var scale = TimeSpan.TicksPerSecond / 10; digits < text.Length && char.IsAsciiDigit((char)text[digits]); digits++, scale /= 10)
            ticks += (text[digits] - '0') * scale;
        text = text[digits..];
        return digits > 1;
    }

    /// <summary>What is left: nothing or <c>Z</c> for UTC, <c>+01:00</c>, <c>+0100</c> or <c>+01</c>.</summary>
    private static bool TryOffset(ReadOnlySpan<byte> text, out long ticks)
    {
        ticks = 0;
        if (text is [] or [(byte)'Z'] or [(byte)'z'])
            return true;
        if (text.Length is not (3 or 5 or 6) || text[0] is not ((byte)'+' or (byte)'-') || !Digits(text[1..3], out var hours) || hours > 23)
            return false;
        var minutes = 0;
        if (text.Length > 3 && ((text.Length == 6) != (text[3] == ':') || !Digits(text[^2..], out minutes) || minutes > 59))
            return false;
        ticks = (hours * 60L + minutes) * TimeSpan.TicksPerMinute * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var digit in text)
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            value = value * 10 + (digit - '0');
        }
        return !text.IsEmpty;
    }
}
