using System.Text;

namespace FactoryStream.AppHost.Publishing.Helm;

/// <summary>A text that Helm completes when it renders the chart: literals, values, and choices between texts.</summary>
internal abstract record HelmString
{
    public static HelmString Empty { get; } = new LiteralText("");

    public static implicit operator HelmString(string literal) => new LiteralText(literal);

    public static HelmString operator +(HelmString left, HelmString right) => Concat(left, right);

    /// <summary>A Go template pipeline, for instance <c>.Release.Name</c>.</summary>
    public static HelmString Of(string pipeline) => new PipelineText(pipeline);

    /// <summary>One text where the pipeline is true (not empty, not zero, not false), the other where it is not. Only the one chosen is evaluated.</summary>
    public static HelmString Choose(string condition, HelmString then, HelmString otherwise) => new ChoiceText(condition, then, otherwise);

    /// <summary>A pipeline that must give something: rendering fails with the message otherwise.</summary>
    public static HelmString Required(string pipeline, string message) => new PipelineText($"required {Quote(message)} {pipeline}");

    public static HelmString Concat(params IEnumerable<HelmString> parts)
    {
        var flat = new List<HelmString>();
        foreach (var part in parts.SelectMany(part => part is JoinedText joined ? joined.Parts : [part]))
        {
            if (part is LiteralText { Text: "" })
                continue;
            if (part is LiteralText next && flat is [.., LiteralText last])
                flat[^1] = new LiteralText(last.Text + next.Text);
            else
                flat.Add(part);
        }
        return flat switch { [] => Empty, [var only] => only, _ => new JoinedText(flat) };
    }

    /// <summary>The text itself, if Helm has nothing to complete.</summary>
    public string? AsLiteral => this is LiteralText literal ? literal.Text : null;

    /// <summary>The Go template that gives this text as one quoted YAML scalar, whatever characters the values bring.</summary>
    public string ToScalarTemplate()
    {
        var parts = this is JoinedText joined ? joined.Parts : [this];
        var choice = parts.ToList().FindIndex(part => part is ChoiceText);
        if (choice >= 0)
        {
            // Distributed over the whole text, so that each branch is quoted as one scalar.
            var (condition, then, otherwise) = (ChoiceText)parts[choice];
            HelmString With(HelmString branch) => Concat([.. parts.Take(choice), branch, .. parts.Skip(choice + 1)]);
            return $"{{{{ if {condition} }}}}{With(then).ToScalarTemplate()}{{{{ else }}}}{With(otherwise).ToScalarTemplate()}{{{{ end }}}}";
        }
        if (AsLiteral is { } text)
            return Quote(text);
        if (this is PipelineText { Pipeline: var pipeline })
            return $"{{{{ {pipeline} | quote }}}}";

        var format = new StringBuilder();
        var arguments = new StringBuilder();
        foreach (var part in parts)
        {
            if (part is LiteralText literal)
            {
                format.Append(literal.Text.Replace("%", "%%", StringComparison.Ordinal));
                continue;
            }
            format.Append("%v");
            var argument = ((PipelineText)part).Pipeline;
            arguments.Append(' ').Append(argument.Contains(' ', StringComparison.Ordinal) ? $"({argument})" : argument);
        }
        return $"{{{{ printf {Quote(format.ToString())}{arguments} | quote }}}}";
    }

    /// <summary>A string literal that Go, JSON and YAML read alike.</summary>
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\n' => "\\n",
                < ' ' or > '~' => throw new ArgumentException($"'{text}' has a character that a chart's literals do not carry."),
                _ => character.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }

    private sealed record LiteralText(string Text) : HelmString;

    private sealed record PipelineText(string Pipeline) : HelmString;

    private sealed record ChoiceText(string Condition, HelmString Then, HelmString Otherwise) : HelmString;

    private sealed record JoinedText(IReadOnlyList<HelmString> Parts) : HelmString;
}
