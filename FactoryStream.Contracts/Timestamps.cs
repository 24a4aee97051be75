using System.Diagnostics.CodeAnalysis;

namespace FactoryStream.Contracts;

/// <summary>A reading's <c>timestamp</c>: <c>yyyy-MM-dd HH:mm:ss[.fff]</c> taken as UTC, or ISO 8601 with offset.</summary>
public static class Timestamps
{
    /// <summary>Parses a timestamp to UTC in whole microseconds (further digits are cut off).</summary>
    /// <param name="text">e.g. <c>2026-02-25 06:13:20</c>, <c>2026-02-25 06:13:20.125</c>, <c>2026-02-25T07:13:20.125+01:00</c>.</param>
    /// <param name="utc">The time, of kind UTC, 1970 or later.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTime utc, [NotNullWhen(false)] out string? error)
    {
        utc = default;
        error = null;
        if (text.Length < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' || text[10] is not ((byte)' ' or (byte)'T' or (byte)'t'))
            return Fail("the timestamp is no time", out error);
        if (!Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..10], out var day)
            || !Digits(text[11..13], out var hour) || !Digits(text[14..16], out var minute) || !Digits(text[17..19], out var second))
            return Fail("the timestamp is no time", out error);
        if (year < 1970)
            return Fail("the timestamp is before 1970", out error);
        if (month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
            return Fail("the timestamp is no time", out error);

        var rest = text[19..];
        var microseconds = 0L;
        if (!rest.IsEmpty && rest[0] == '.')
        {
            var length = 1;
            for (var scale = 100_000; length < rest.Length && char.IsAsciiDigit((char)rest[length]); length++, scale /= 10)
                microseconds += (rest[length] - '0') * scale;
            if (length == 1)
                return Fail("the timestamp is no time", out error);
            rest = rest[length..];
        }

        var ticks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks + microseconds * TimeSpan.TicksPerMicrosecond;
        if (rest.IsEmpty)
        {
            if (text[10] != ' ')
                return Fail("an ISO 8601 timestamp needs its offset, e.g. Z or +01:00", out error);
        }
        else if (rest is not ([(byte)'Z'] or [(byte)'z']))
        {
            if (rest.Length < 5 || rest[0] is not ((byte)'+' or (byte)'-') || !Digits(rest[1..3], out var offsetHours)
                || !Digits(rest[3] == ':' ? rest[4..] : rest[3..], out var offsetMinutes) || rest.Length != (rest[3] == ':' ? 6 : 5)
                || offsetHours > 14 || offsetMinutes > 59)
                return Fail("the timestamp's offset is none", out error);
            var offset = (offsetHours * 60L + offsetMinutes) * TimeSpan.TicksPerMinute;
            ticks += rest[0] == '+' ? -offset : offset;
        }

        if (ticks < DateTime.UnixEpoch.Ticks || ticks > DateTime.MaxValue.Ticks)
            return Fail("the timestamp is before 1970", out error);
        utc = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }

    private static bool Fail(string why, out string error)
    {
        error = why;
        return false;
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
