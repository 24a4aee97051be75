using System.CommandLine;
using System.CommandLine.Parsing;
using FactoryStream.Simulator.Replay;

namespace FactoryStream.Simulator.Commands;

/// <summary>The options of <c>replay</c> that say what a recording's cells mean.</summary>
internal sealed class CsvFormOptions
{
    private const string ColumnPrefix = "column:";

    private static readonly Dictionary<string, char> NamedSeparators = new(StringComparer.OrdinalIgnoreCase)
    {
        ["tab"] = '\t',
        ["\\t"] = '\t',
        ["comma"] = ',',
        ["semicolon"] = ';',
        ["space"] = ' ',
        ["pipe"] = '|',
    };

    public Option<string?> Time { get; } =
        new("--time") { Description = "The column that holds the time [default: the first one]", HelpName = "COLUMN" };

    public Option<string?> TimeFormat { get; } =
        new("--time-format")
        {
            Description =
                "How the time is written, in .NET's letters, such as 'dd.MM.yyyy HH:mm:ss.fff' (UTC, unless zzz gives the offset); "
                + "or unix, unix-ms, unix-us, unix-ns for a number since 1970. "
                + "[default: year, month, day and time as in 2020-03-09 10:14:33.5 or 2020-03-09T10:14:33+01:00; no other is guessed]",
            HelpName = "FORMAT",
        };

    public Option<string> Decimal { get; } =
        new("--decimal")
        {
            Description = "The decimal sign of the numbers",
            HelpName = ".|,",
            DefaultValueFactory = _ => ".",
        };

    public Option<string?> Separator { get; } =
        new("--separator")
        {
            Description =
                "What stands between the columns: a character, or tab, comma, semicolon, space, pipe [default: found by itself "
                + "among ; , | and tab]",
            HelpName = "CHARACTER",
        };

    public Option<bool> NoHeader { get; } =
        new("--no-header") { Description = "The first row is data; the columns, and so the metrics, are called column_1, column_2, ..." };

    public Option<string?> Engine { get; } =
        new("--engine")
        {
            Description =
                "The engine: its id (with one file), or column:NAME for the column that holds each row's [default: the file's name "
                + "without its ending]",
            HelpName = "ID|column:NAME",
        };

    public Option<string[]> Missing { get; } =
        new("--missing")
        {
            Description = "Texts that stand for no value, in any case, beside an empty cell [default: nan]",
            HelpName = "TEXT...",
            AllowMultipleArgumentsPerToken = true,
        };

    /// <summary>Says what cannot be.</summary>
    public void Check(CommandResult result, bool hasCsv, int files)
    {
        if (
            !hasCsv
            && ((Option[])[Time, TimeFormat, Separator, Engine, Missing, NoHeader, Decimal]).FirstOrDefault(option =>
                result.GetResult(option) is { Implicit: false }
            )
                is { } alone
        )
            result.AddError($"{alone.Name} goes with --csv: what --from sends is signed already.");
        if (TextOf(result, TimeFormat) is { } format && !CsvForm.IsTimeFormat(format))
            result.AddError(
                $"--time-format '{format}' does not say a whole moment: year, month and day are needed, such as 'dd.MM.yyyy "
                    + "HH:mm:ss', or unix."
            );
        var mark = TextOf(result, Decimal) ?? ".";
        if (mark is not ("." or ","))
            result.AddError("--decimal must be . or ,");
        if (TextOf(result, Separator) is { } separator && (SeparatorOf(separator) is not { } between || between.ToString() == mark))
            result.AddError($"--separator '{separator}' is no single character that may stand between columns, or is the decimal sign.");
        if (TextOf(result, Engine) is { } engine)
        {
            if (engine.Length == 0 || engine == ColumnPrefix)
                result.AddError("--engine needs an id, or column: and a column's name.");
            else if (files > 1 && !engine.StartsWith(ColumnPrefix, StringComparison.Ordinal))
                result.AddError($"--engine {engine} goes with one file; several would all be that engine.");
        }
    }

    public CsvForm Of(ParseResult parsed, IEnumerable<string> labels)
    {
        var engine = parsed.GetValue(Engine);
        var column = engine?.StartsWith(ColumnPrefix, StringComparison.Ordinal) == true ? engine[ColumnPrefix.Length..] : null;
        var form = new CsvForm
        {
            TimeColumn = parsed.GetValue(Time),
            TimeFormat = parsed.GetValue(TimeFormat),
            Decimal = parsed.GetValue(Decimal)![0],
            Separator = parsed.GetValue(Separator) is { } separator ? SeparatorOf(separator) : null,
            HasHeader = !parsed.GetValue(NoHeader),
            EngineId = column is null ? engine : null,
            EngineColumn = column,
            Labels = labels.ToHashSet(),
        };
        return parsed.GetResult(Missing) is { Tokens.Count: > 0 }
            ? form with
            {
                Missing = parsed.GetValue(Missing)!.ToHashSet(StringComparer.OrdinalIgnoreCase),
            }
            : form;
    }

    private static string? TextOf(CommandResult result, Option option) =>
        result.GetResult(option) is { Tokens: [var token] } ? token.Value : null;

    private static char? SeparatorOf(string text) =>
        NamedSeparators.TryGetValue(text, out var named) ? named
        : text is [var single] && char.IsAscii(single) && single is not ('"' or '\r' or '\n') ? single
        : null;
}
