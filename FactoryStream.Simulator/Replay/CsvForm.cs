using System.Globalization;

namespace FactoryStream.Simulator.Replay;

/// <summary>What a recording's cells mean where the file cannot say it itself. Nothing of it is guessed: what does not fit is an error that
/// names the option.</summary>
internal sealed record CsvForm
{
    /// <summary>Between the columns; null: found by itself among <c>; , | and tab</c>.</summary>
    public char? Separator { get; init; }

    /// <summary>False: the first row is data, and the columns are called <c>column_1</c>, <c>column_2</c>, ...</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>The column of the time; null: the first one.</summary>
    public string? TimeColumn { get; init; }

    /// <summary>.NET's letters (<c>dd.MM.yyyy HH:mm:ss.fff</c>), or <c>unix</c>, <c>unix-ms</c>, <c>unix-us</c>, <c>unix-ns</c> for numbers
    /// since 1970; null: year, month, day as ISO 8601 has them.</summary>
    public string? TimeFormat { get; init; }

    /// <summary><c>.</c> or <c>,</c>.</summary>
    public char Decimal { get; init; } = '.';

    /// <summary>The id of the file's one engine; null: the file's name.</summary>
    public string? EngineId { get; init; }

    /// <summary>The column that holds each row's engine; null: all rows are of one.</summary>
    public string? EngineColumn { get; init; }

    /// <summary>Columns that are no metrics.</summary>
    public IReadOnlySet<string> Labels { get; init; } = new HashSet<string>();

    /// <summary>What a cell holds that has no value, beside nothing at all; in any case.</summary>
    public IReadOnlySet<string> Missing { get; init; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "nan" };

    private static readonly string[] IsoFormats =
    [
        .. from date in (string[])["yyyy-MM-dd", "yyyy/MM/dd", "yyyyMMdd"]
        from time in (string[])["", " HH:mm", " HH:mm:ss.FFFFFFF", "'T'HH:mm", "'T'HH:mm:ss.FFFFFFF"]
        where time.Length > 0 || date != "yyyyMMdd"
        select $"{date}{time}{(time.Length == 0 ? "" : "K")}",
    ];

    // A number's unit in ticks of 100 ns: how many ticks a unit has, and how many units a tick has.
    private (long Ticks, long PerTick)? Unix =>
        TimeFormat switch
        {
            "unix" => (TimeSpan.TicksPerSecond, 1),
            "unix-ms" => (TimeSpan.TicksPerMillisecond, 1),
            "unix-us" => (TimeSpan.TicksPerMicrosecond, 1),
            "unix-ns" => (1, 100),
            _ => null,
        };

    /// <summary>A time that needs no guess, in UTC; one without an offset is of UTC.</summary>
    public bool TryParseTime(string cell, out DateTime measuredAt)
    {
        measuredAt = default;
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (Unix is { } unit)
        {
            if (
                !decimal.TryParse(
                    Number(cell),
                    NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var number
                )
            )
                return false;
            // Far beyond any calendar, and nothing overflows.
            if (number is < 0 or > 1_000_000_000_000_000_000_000m)
                return false;
            var ticks = number / unit.PerTick * unit.Ticks;
            if (ticks > (DateTime.MaxValue - DateTime.UnixEpoch).Ticks)
                return false;
            measuredAt = DateTime.UnixEpoch.AddTicks((long)ticks);
            return true;
        }
        return TimeFormat is { } format
            ? DateTime.TryParseExact(cell, format, CultureInfo.InvariantCulture, Utc, out measuredAt)
            : DateTime.TryParseExact(cell, IsoFormats, CultureInfo.InvariantCulture, Utc, out measuredAt);
    }

    /// <summary>A cell's number with a point, or the cell as it is where it is none of this form.</summary>
    public string Number(string cell) => Decimal == ',' && !cell.Contains('.') ? cell.Replace(',', '.') : cell;

    /// <summary>Whether a format can say a whole moment: a date without its year, or a time alone, would be put into a day of our own
    /// choice.</summary>
    public static bool IsTimeFormat(string format)
    {
        if (format is "unix" or "unix-ms" or "unix-us" or "unix-ns")
            return true;
        if (format.Length < 2)
            return false;
        try
        {
            // What comes back the same in all its parts was written in all its parts.
            var moment = new DateTime(2026, 11, 23, 0, 0, 0, DateTimeKind.Utc);
            return DateTime.TryParseExact(
                    moment.ToString(format, CultureInfo.InvariantCulture),
                    format,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                    out var back
                )
                && back == moment
                && format.Contains('y')
                && format.Contains('M')
                && format.Contains('d');
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
