using System.Text;
using System.Text.RegularExpressions;

namespace FactoryStream.Tests.House;

/// <summary>C# as its compiler sees it: without comments and without the text of strings; what strings interpolate stays.</summary>
internal static partial class CSharpCode
{
    /// <summary>The code, with a space for each comment and <c>""</c> for each string.</summary>
    public static string Of(IEnumerable<string> lines)
    {
        var code = new StringBuilder();
        var text = string.Join('\n', lines);
        var at = 0;
        while (at < text.Length)
            at = Copy(text, at, code);
        return code.ToString();
    }

    /// <summary>The words of an identifier: <c>StartedAtUtc</c> are <c>Started</c>, <c>At</c> and <c>Utc</c>.</summary>
    public static IEnumerable<string> Words(string identifier) => Word().Matches(identifier).Select(match => match.Value);

    /// <summary>All identifiers of code, each once; keywords are among them.</summary>
    public static IEnumerable<string> Identifiers(string code) => Identifier().Matches(code).Select(match => match.Value).Distinct();

    /// <summary>The names of the types that code declares.</summary>
    public static IEnumerable<string> Types(string code) => Type().Matches(code).Select(match => match.Groups["name"].Value);

    /// <summary>What stands between the braces of a type that code declares.</summary>
    public static string BodyOf(string code, string type)
    {
        var start = code.IndexOf('{', Type().Matches(code).First(match => match.Groups["name"].Value == type).Index);
        var depth = 0;
        for (var at = start; at < code.Length; at++)
        {
            depth += code[at] switch
            {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if (depth == 0)
                return code[(start + 1)..at];
        }
        throw new InvalidOperationException($"The braces of {type} do not close.");
    }

    /// <summary>Copies one thing: a comment, a literal or a character. Where the next one begins.</summary>
    private static int Copy(string text, int at, StringBuilder code)
    {
        if (StartsWith(text, at, "//"))
        {
            var end = text.IndexOf('\n', at);
            return end < 0 ? text.Length : end;
        }
        if (StartsWith(text, at, "/*"))
        {
            code.Append(' ');
            return text.IndexOf("*/", at, StringComparison.Ordinal) + 2;
        }
        if (text[at] == '\'')
        {
            code.Append("' '");
            return text.IndexOf('\'', at + (text[at + 1] == '\\' ? 3 : 2)) + 1;
        }
        var opening = StringStart().Match(text, at);
        if (opening.Success && opening.Index == at)
            return CopyString(text, opening, code);
        code.Append(text[at]);
        return at + 1;
    }

    private static int CopyString(string text, Match opening, StringBuilder code)
    {
        var dollars = opening.Value.Count(letter => letter == '$');
        var isVerbatim = opening.Value.Contains('@', StringComparison.Ordinal);
        // In a verbatim string two quotes are one, so only its first belongs to the opening.
        var quotes = isVerbatim ? 1 : opening.Groups["quotes"].Length;
        var at = opening.Groups["quotes"].Index + quotes;
        code.Append("\"\"");
        if (quotes == 2)
            return at;
        // In a raw string as many braces as dollars interpolate, in any other one brace, and two are a brace.
        var braces = dollars == 0 ? int.MaxValue : dollars;
        while (at < text.Length)
        {
            var run = Run(text, at);
            if (text[at] == '"' && quotes >= 3 && run >= quotes)
                return at + run;
            if (text[at] == '"' && quotes == 1 && (!isVerbatim || run % 2 == 1))
                return isVerbatim ? at + run : at + 1;
            if (text[at] == '{' && run >= braces && (quotes >= 3 || run % 2 == 1))
                at = CopyHole(text, at + run, dollars, code);
            else if (quotes == 1 && ((text[at] == '\\' && !isVerbatim) || (text[at] is '{' or '}' or '"' && run % 2 == 0)))
                at += 2;
            else
                at++;
        }
        throw new InvalidOperationException($"A string does not end: {text[opening.Index..Math.Min(text.Length, opening.Index + 80)]}");
    }

    /// <summary>What a string interpolates, with its format; where the string goes on.</summary>
    private static int CopyHole(string text, int at, int braces, StringBuilder code)
    {
        var depth = 0;
        code.Append(' ');
        while (depth > 0 || text[at] != '}')
        {
            depth += text[at] switch
            {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            at = Copy(text, at, code);
        }
        code.Append(' ');
        return at + braces;
    }

    private static int Run(string text, int at)
    {
        var end = at;
        while (end < text.Length && text[end] == text[at])
            end++;
        return end - at;
    }

    private static bool StartsWith(string text, int at, string what) => text.AsSpan(at).StartsWith(what);

    [GeneratedRegex("""\G(\$+@?|@\$?)?(?<quotes>"{3,}|""|")""")]
    private static partial Regex StringStart();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Identifier();

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(class|record struct|record|struct|interface|enum)\s+(?<name>[A-Z]\w*)")]
    private static partial Regex Type();
}
