using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using FactoryStream.Contracts;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Simulator.Replay;

/// <summary>
/// A recording of one engine: a CSV file with a header (what separates its columns is found by itself), the time in its first column and a metric in each other one.
/// Sample: <c>datetime;Accelerometer1RMS;Volume Flow RateRMS;anomaly</c> / <c>2020-03-09 10:14:33;0.0265878;32.0;0.0</c>
/// </summary>
/// <param name="path">The file; its name without the ending is the engine's id.</param>
/// <param name="labels">Columns that are no metrics.</param>
internal sealed class CsvEngine(string path, IReadOnlySet<string> labels)
{
    private static readonly CsvReaderOptions Form = new() { HasHeader = false, TrimWhitespace = true, TrackLineNumbers = true, MalformedData = CsvMalformedDataHandling.Throw };

    public string EngineId { get; } = System.IO.Path.GetFileNameWithoutExtension(path);

    /// <summary>The readings in the file's order.</summary>
    /// <param name="factoryId">Whose engine it is.</param>
    /// <param name="shift">Added to every time; null: the times' own text is kept to the byte.</param>
    /// <exception cref="UsageException">The file is not of that form; says where.</exception>
    public IEnumerable<UnsignedReading> Read(string factoryId, TimeSpan? shift)
    {
        var beginning = $"{{\"factory_id\": \"{EngineModel.JsonText(factoryId)}\", \"engine_id\": \"{EngineModel.JsonText(EngineId)}\", \"timestamp\": \"";
        var text = new StringBuilder();
        string?[]? names = null;
        foreach (var (row, line) in Rows())
        {
            if (names is null)
            {
                names = NamesOf(row);
                continue;
            }
            if (row.Length != names.Length)
                throw Wrong(line, $"{row.Length} columns, and the header has {names.Length}");
            var (measuredAt, timestamp) = TimeOf(row[0], line, shift);
            text.Clear().Append(beginning).Append(timestamp).Append('"');
            for (var column = 1; column < row.Length; column++)
            {
                if (names[column] is { } name && NumberOf(row[column], name, line) is { } number)
                    text.Append(", \"").Append(name).Append("\": ").Append(number);
            }
            yield return new UnsignedReading(measuredAt, Encoding.UTF8.GetBytes(text.Append('}').ToString()));
        }
        if (names is null)
            throw Wrong(1, "no header");
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
            return CsvReader.FromFile(path, Form);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <returns>The columns' names as JSON text; null for the time and for labels.</returns>
    private string?[] NamesOf(string[] header)
    {
        if (header.Length < 2)
            throw Wrong(1, "a time and at least one metric are needed, separated by ';', ',' or a tab");
        var seen = new HashSet<string>();
        var names = new string?[header.Length];
        for (var column = 1; column < header.Length; column++)
        {
            var name = header[column];
            if (name.Length == 0 || name.Length > ReadingParser.MaxNameLength || name is "factory_id" or "engine_id" or "timestamp" || !seen.Add(name))
                throw Wrong(1, $"'{name}' cannot name a metric here");
            names[column] = labels.Contains(name) ? null : EngineModel.JsonText(name);
        }
        return names;
    }

    private (DateTime MeasuredAt, string Text) TimeOf(string cell, long line, TimeSpan? shift)
    {
        var asItIs = Timestamps.TryParse(Encoding.UTF8.GetBytes(cell), out var measuredAt, out _);
        if (!asItIs && !DateTime.TryParse(cell, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out measuredAt))
            throw Wrong(line, $"'{cell}' is no time");
        if (asItIs && shift is null)
            return (measuredAt, cell);
        measuredAt += shift ?? TimeSpan.Zero;
        var format = measuredAt.Ticks % TimeSpan.TicksPerMillisecond == 0 ? "yyyy-MM-dd HH:mm:ss.fff" : "yyyy-MM-dd HH:mm:ss.ffffff";
        return (measuredAt, measuredAt.ToString(format, CultureInfo.InvariantCulture));
    }

    /// <returns>The cell's own digits where JSON allows them, so that nothing is rounded; null for a cell without a value, which is left out.</returns>
    private string? NumberOf(string cell, string name, long line)
    {
        if (cell.Length == 0 || cell.Equals("nan", StringComparison.OrdinalIgnoreCase))
            return null;
        if (!double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            throw Wrong(line, $"'{cell}' in column {name} is no number");
        return IsJsonNumber(cell) ? cell : value.ToString("R", CultureInfo.InvariantCulture);
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
