using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Helm;

/// <summary>
/// Lets typed Kubernetes objects carry what only Helm knows. A token stands in the object where a text, a number or a map belongs; when the
/// object has become YAML, the line that holds the token is completed with its template. Nothing else in a chart is text put together by hand.
/// </summary>
internal sealed partial class HelmTokens
{
    // No port, count or number of seconds comes near it, and the count of tokens does not reach the next thousand.
    private const int FirstNumber = 1_970_000_000;

    private readonly List<Template> templates = [];

    /// <summary>A text; itself, if Helm has nothing to complete.</summary>
    public string Text(HelmString text) => text.AsLiteral ?? Add(new Template(text.ToScalarTemplate()));

    /// <summary>A text that is left out, with its key, where the condition is false.</summary>
    public string TextIf(string condition, HelmString text) => Add(new Template(text.ToScalarTemplate(), condition));

    /// <summary>A whole number.</summary>
    public int Number(string pipeline) => Numbered(new Template($"{{{{ {pipeline} | int }}}}"));

    /// <summary>A whole number that is left out, with its key, where the condition is false.</summary>
    public int NumberIf(string condition, string pipeline) => Numbered(new Template($"{{{{ {pipeline} | int }}}}", condition));

    /// <summary>A map, written as JSON, which is YAML too; left out, with its key, where it is empty.</summary>
    public Dictionary<string, string> Map(string pipeline) => new() { [Tree(pipeline)] = "" };

    /// <summary>A map of quantities, as <see cref="Map"/>.</summary>
    public Dictionary<string, ResourceQuantity> Quantities(string pipeline) => new() { [Tree(pipeline)] = new ResourceQuantity("0") };

    /// <summary>A map or list, written as JSON; left out, with its key, where it is empty.</summary>
    public string Tree(string pipeline) => Add(new Template($"{{{{ toJson {pipeline} }}}}", pipeline));

    /// <summary>A key of a map of texts that stands for all entries of another map.</summary>
    public string Entries(string pipeline) => Add(new Template(pipeline, IsEntries: true));

    /// <summary>Whether a map's only key stands for the whole map.</summary>
    public bool IsTree(string key) => IsToken(key) && !templates[int.Parse(key.AsSpan(TokenPrefix.Length), CultureInfo.InvariantCulture)].IsEntries;

    public static bool IsToken(string text) => text.Length == TokenLength && Token().IsMatch(text);

    public static bool HasToken(string text) => Token().IsMatch(text);

    public string? TokenOfNumber(string number) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= FirstNumber && value - FirstNumber < templates.Count
            ? Name(value - FirstNumber) : null;

    /// <summary>YAML with tokens becomes a Helm template.</summary>
    public string Complete(string yaml)
    {
        var completed = new StringBuilder(yaml.Length * 2);
        foreach (var line in yaml.Split('\n'))
        {
            var tokens = Token().Matches(line);
            if (tokens.Count == 0)
            {
                completed.Append(line).Append('\n');
                continue;
            }
            if (tokens.Count > 1)
                throw new InvalidOperationException($"A line of YAML holds two tokens: {line}");
            var template = templates[int.Parse(tokens[0].ValueSpan[TokenPrefix.Length..], CultureInfo.InvariantCulture)];
            var indent = line[..^line.TrimStart().Length];
            if (template.IsEntries)
            {
                completed
                    .Append(indent).Append(CultureInfo.InvariantCulture, $"{{{{- range $key, $value := {template.Text} }}}}\n")
                    // Not quote alone, which would write a million as 1e+06.
                    .Append(indent).Append("{{ $key }}: {{ if kindIs \"string\" $value }}{{ quote $value }}{{ else }}{{ toJson $value | quote }}{{ end }}\n")
                    .Append(indent).Append("{{- end }}\n");
                continue;
            }
            var whole = line.Replace(tokens[0].Value, template.Text, StringComparison.Ordinal);
            if (template.Condition is null)
            {
                completed.Append(whole).Append('\n');
                continue;
            }
            if (line.TrimStart().StartsWith('-'))
                throw new InvalidOperationException($"The first line of a list's entry cannot be left out: {line}");
            completed
                .Append(indent).Append(CultureInfo.InvariantCulture, $"{{{{- if {template.Condition} }}}}\n")
                .Append(whole).Append('\n')
                .Append(indent).Append("{{- end }}\n");
        }
        return completed.ToString(0, completed.Length - 1);
    }

    private const string TokenPrefix = "helm-token-";
    private const int TokenLength = 15;

    [GeneratedRegex("helm-token-[0-9]{4}")]
    private static partial Regex Token();

    // Four digits are enough for a chart ten times as large.
    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"{TokenPrefix}{index:D4}");

    private string Add(Template template)
    {
        templates.Add(template);
        return Name(templates.Count - 1);
    }

    private int Numbered(Template template)
    {
        templates.Add(template);
        return FirstNumber + templates.Count - 1;
    }

    private sealed record Template(string Text, string? Condition = null, bool IsEntries = false);
}
