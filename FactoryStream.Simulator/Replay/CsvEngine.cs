using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using FactoryStream.Contracts;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Simulator.Replay;

/// <summary>
/// A recording of one engine, or of several that a column names: a CSV file with the time in one column and a metric in each other one.
/// Sample: <c>datetime;Accelerometer1RMS;Volume Flow RateRMS;anomaly</c> / <c>2020-03-09 10:14:33;0.0265878;32.0;0.0</c>
/// </summary>
/// <param name="path">The file; its name without the ending is the engine's id, unless the form says another.</param>
/// <param name="form">What its cells mean.</param>
internal sealed class CsvEngine(string path, CsvForm form)
{
    private readonly CsvReaderOptions csvForm = new()
    {
        HasHeader = false,
        TrimWhitespace = true,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
        Separator = form.Separator,
    };

    /// <summary>A recording in the usual form.</summary>
    public CsvEngine(string path, IReadOnlySet<string> labels)
        : this(path, new CsvForm { Labels = labels }) { }

    /// <summary>Null: each row says its own.</summary>
    public string? EngineId { get; } =
        form.EngineColumn is not null ? null : form.EngineId ?? System.IO.Path.GetFileNameWithoutExtension(path);

    /// <summary>The readings in the file's order.</summary>
    /// <param name="factoryId">Whose engine it is.</param>
    /// <param name="shift">Added to every time; null: the times' own text is kept to the byte.</param>
    /// <exception cref="UsageException">The file is not of that form; says where.</exception>
    public IEnumerable<UnsignedReading> Read(string factoryId, TimeSpan? shift)
    {
        var text = new StringBuilder();
        Columns? known = null;
        foreach (var (row, line) in Rows())
        {
            if (known is null)
            {
                known = ColumnsOf(
                    form.HasHeader
                        ? row
                        :
                        [
                            .. Enumerable
                                .Range(1, row.Length)
                                .Select(column => string.Create(CultureInfo.InvariantCulture, $"column_{column}")),
                        ]
                );
                if (form.HasHeader)
                    continue;
            }
            var columns = known;
            if (row.Length != columns.Names.Length)
                throw Wrong(line, $"{row.Length} columns, and the {(form.HasHeader ? "header" : "first row")} has {columns.Names.Length}");
            var engineId = columns.Engine is { } engine ? row[engine] : EngineId!;
            if (engineId.Length is 0 or > ReadingParser.MaxNameLength)
                throw Wrong(line, $"'{engineId}' in column {form.EngineColumn} is no engine's id");
            var (measuredAt, timestamp) = TimeOf(row[columns.Time], columns.Header[columns.Time], line, shift);
            text.Clear()
                .Append("{\"factory_id\": \"")
                .Append(EngineModel.JsonText(factoryId))
                .Append("\", \"engine_id\": \"")
                .Append(EngineModel.JsonText(engineId))
                .Append("\", \"timestamp\": \"")
                .Append(timestamp)
                .Append('"');
            for (var column = 0; column < row.Length; column++)
            {
                if (columns.Names[column] is { } name && NumberOf(row[column], columns.Header[column], line) is { } number)
                    text.Append(", \"").Append(name).Append("\": ").Append(number);
            }
            yield return new UnsignedReading(measuredAt, Encoding.UTF8.GetBytes(text.Append('}').ToString()));
        }
        if (known is null)
            throw Wrong(1, form.HasHeader ? "no header" : "no row");
    }

    /// <summary>The first and the last time in the file, whatever their order; null: no reading at all.</summary>
    public (DateTime First, DateTime Last)? Span()
    {
        (DateTime First, DateTime Last)? span = null;
        foreach (var reading in Read("", shift: null))
        {
            var time = reading.MeasuredAt;
            span = span is not { } known ? (time, time) : (time < known.First ? time : known.First, time > known.Last ? time : known.Last);
        }
        return span;
    }

    private IEnumerable<(string[] Row, long Line)> Rows()
    {
        using var csv = Open();
        while (Next(csv))
        {
            var row = new string[csv.FieldCount];
            for (var column = 0; column < row.Length; column++)
                row[column] = csv.GetString(column);
            yield return (row, csv.LineNumber);
        }
    }

    private bool Next(CsvReader csv)
    {
        try
        {
            return csv.Read();
        }
        catch (Exception exception) when (exception is CsvFormatException or IOException)
        {
            throw new UsageException($"{path} is no CSV: {exception.Message}", exception);
        }
    }

    private CsvReader Open()
    {
        try
        {
            return CsvReader.FromFile(path, csvForm);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <param name="Header">All columns by the names that options and errors call them.</param>
    /// <param name="Names">The metrics' names as JSON text; null for the time, the engine and labels.</param>
    /// <param name="Time">The time's column.</param>
    /// <param name="Engine">The engine's column; null: there is none.</param>
    private sealed record Columns(string[] Header, string?[] Names, int Time, int? Engine);

    private Columns ColumnsOf(string[] header)
    {
        if (header.Length < 2)
            throw Wrong(1, "a time and at least one metric are needed, separated by ';', ',' or a tab; pass --separator for another");
        var time = form.TimeColumn is { } timeColumn ? IndexOf(timeColumn, "--time") : 0;
        int? engine = form.EngineColumn is { } engineColumn ? IndexOf(engineColumn, "--engine") : null;
        var seen = new HashSet<string>();
        var names = new string?[header.Length];
        for (var column = 0; column < header.Length; column++)
        {
            var name = header[column];
            if (column == time || column == engine)
                continue;
            if (
                name.Length == 0
                || name.Length > ReadingParser.MaxNameLength
                || name is "factory_id" or "engine_id" or "timestamp"
                || !seen.Add(name)
            )
                throw Wrong(1, $"'{name}' cannot name a metric here");
            names[column] = form.Labels.Contains(name) ? null : EngineModel.JsonText(name);
        }
        return new(header, names, time, engine);

        int IndexOf(string name, string option)
        {
            var index = Array.IndexOf(header, name);
            return index >= 0 ? index : throw Wrong(1, $"there is no column '{name}', as {option} has it, but {string.Join(", ", header)}");
        }
    }

    private (DateTime MeasuredAt, string Text) TimeOf(string cell, string column, long line, TimeSpan? shift)
    {
        // The wire's own forms begin with the year; a number is none in a file, which does not say of what.
        var measuredAt = default(DateTime);
        var asItIs =
            form.TimeFormat is null
            && cell is [_, _, _, _, '-', ..]
            && Timestamps.TryParse(Encoding.UTF8.GetBytes(cell), out measuredAt, out _);
        if (!asItIs && !form.TryParseTime(cell, out measuredAt))
        {
            throw Wrong(
                line,
                $"'{cell}' is no time in column {column}"
                    + (
                        form.TimeFormat is { } format
                            ? $" by --time-format '{format}'"
                            : " that could be read without guessing; pass --time-format, such as 'dd.MM.yyyy HH:mm:ss' or unix, or "
                                + "--time with the column that holds the time"
                    )
            );
        }
        if (measuredAt < DateTime.UnixEpoch)
            throw Wrong(line, $"'{cell}' in column {column} is before 1970");
        if (asItIs && shift is null)
            return (measuredAt, cell);
        measuredAt += shift ?? TimeSpan.Zero;
        var text = measuredAt.Ticks % TimeSpan.TicksPerMillisecond == 0 ? "yyyy-MM-dd HH:mm:ss.fff" : "yyyy-MM-dd HH:mm:ss.ffffff";
        return (measuredAt, measuredAt.ToString(text, CultureInfo.InvariantCulture));
    }

    /// <returns>The cell's own digits where JSON allows them, so that nothing is rounded; null for a cell without a value, which is left
    /// out.</returns>
    private string? NumberOf(string cell, string name, long line)
    {
        if (cell.Length == 0 || form.Missing.Contains(cell))
            return null;
        var number = form.Number(cell);
        var isOfForm = form.Decimal == '.' || !cell.Contains('.');
        if (
            !isOfForm
            || !double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value)
        )
        {
            throw Wrong(
                line,
                $"'{cell}' in column {name} is no number; pass --decimal if it has another decimal sign than '{form.Decimal}', "
                    + "--missing if it stands for no value, or --labels if the column is no metric"
            );
        }
        return IsJsonNumber(number) ? number : value.ToString("R", CultureInfo.InvariantCulture);
    }

    private static bool IsJsonNumber(string cell)
    {
        try
        {
            var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(cell));
            return json.Read() && json.TokenType == JsonTokenType.Number && !json.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private UsageException Wrong(long line, string what) => new($"{path}, row {line}: {what}.");
}

/// <summary>A reading before it is signed.</summary>
/// <param name="MeasuredAt">UTC.</param>
/// <param name="Data">The bytes to sign.</param>
internal readonly record struct UnsignedReading(DateTime MeasuredAt, byte[] Data);

/// <summary>A signed reading as a line.</summary>
/// <param name="MeasuredAt">UTC.</param>
/// <param name="Line">The envelope with its line's end.</param>
/// <param name="Readings">How many readings it holds: more than one when it is a batch.</param>
internal readonly record struct SignedLine(DateTime MeasuredAt, ReadOnlyMemory<byte> Line, int Readings = 1);
