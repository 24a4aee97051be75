using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Dashboard;

/// <summary>Times as they stand in the addresses of requests.</summary>
internal static class QueryTime
{
    /// <summary>Any form of a time that a reading may have, e.g. <c>2026-02-25T06:13:20Z</c>.</summary>
    /// <param name="text">Null, where the parameter was not given, is no time and no error.</param>
    /// <param name="utc">The time, or null.</param>
    /// <param name="error">What was expected and what was found; null: nothing is wrong.</param>
    public static bool TryParse(string? text, out DateTime? utc, [NotNullWhen(false)] out string? error)
    {
        (utc, error) = (null, null);
        if (text is null)
            return true;
        // A "+" of an offset that was not escaped in the address has become a space.
        var repaired = text.Length > 19 && text[10] is 'T' or 't' ? text.Replace(' ', '+') : text;
        if (Timestamps.TryParse(Encoding.UTF8.GetBytes(repaired), out var parsed, out var expected))
        {
            utc = parsed;
            return true;
        }
        error = $"expected {expected}, found '{text}'";
        return false;
    }

    /// <summary>The parameters <c>from</c>, inclusive, and <c>to</c>, exclusive, each of which may be missing.</summary>
    /// <param name="from">As <see cref="TryParse"/> takes it.</param>
    /// <param name="to">As <see cref="TryParse"/> takes it.</param>
    /// <param name="range">Both times.</param>
    /// <param name="error">Which of them is wrong and how; null: none is.</param>
    public static bool TryParseRange(
        string? from,
        string? to,
        out (DateTime? From, DateTime? To) range,
        [NotNullWhen(false)] out string? error
    )
    {
        range = default;
        if (!TryParse(from, out var start, out error))
            error = $"from: {error}";
        else if (!TryParse(to, out var end, out error))
            error = $"to: {error}";
        else if (start >= end)
            error = "from: expected a time before to, found one that is not.";
        else
            range = (start, end);
        return error is null;
    }

    /// <summary>A moment, or a whole day of UTC, e.g. <c>2026-02-25</c>: from inclusive, to exclusive.</summary>
    public static bool TryParseSpan(string? text, out (DateTime From, DateTime To)? span, [NotNullWhen(false)] out string? error)
    {
        span = null;
        error = null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            var start = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
            span = (start, day < DateOnly.MaxValue ? start.AddDays(1) : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
            return true;
        }
        if (!TryParse(text, out var moment, out error))
        {
            error += ", or a day as 2026-02-25";
            return false;
        }
        if (moment is { } at)
            span = (at, at < DateTime.MaxValue.AddMicroseconds(-1) ? at.AddMicroseconds(1) : DateTime.MaxValue);
        return true;
    }
}
