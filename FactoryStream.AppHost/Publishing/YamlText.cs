using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FactoryStream.AppHost.Publishing;

/// <summary>Writes a JSON tree as YAML, the same bytes for the same tree.</summary>
internal static partial class YamlText
{
    // A JSON text is a double-quoted text of YAML; what it need not escape stays readable.
    private static readonly JsonSerializerOptions Quoted = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A document. Comments go above the entries whose path (<c>kafka.external</c>) they are given for.</summary>
    public static string Write(JsonObject document, IReadOnlyDictionary<string, string>? comments = null)
    {
        var text = new StringBuilder();
        Write(text, document, "", "", comments ?? new Dictionary<string, string>());
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonObject map, string path, string indent, IReadOnlyDictionary<string, string> comments)
    {
        foreach (var (key, value) in map)
        {
            var own = path.Length == 0 ? key : $"{path}.{key}";
            if (comments.TryGetValue(own, out var comment))
                text.Append(indent).Append("# ").Append(comment).Append('\n');
            text.Append(indent).Append(Text(key)).Append(':');
            switch (value)
            {
                case JsonObject { Count: > 0 } inner:
                    text.Append('\n');
                    Write(text, inner, own, indent + "  ", comments);
                    break;
                case JsonArray { Count: > 0 } list:
                    text.Append('\n');
                    foreach (var item in list)
                        text.Append(indent).Append("  - ").Append(Scalar(item)).Append('\n');
                    break;
                default:
                    text.Append(' ').Append(Scalar(value)).Append('\n');
                    break;
            }
        }
    }

    private static string Scalar(JsonNode? value) =>
        value switch
        {
            JsonValue text when text.GetValueKind() == JsonValueKind.String => Text(text.GetValue<string>()),
            JsonValue or JsonObject { Count: 0 } or JsonArray { Count: 0 } => value.ToJsonString(),
            _ => throw new ArgumentException(
                $"A list of YAML holds texts, numbers and truth values, not {value?.ToJsonString() ?? "null"}."
            ),
        };

    private static string Text(string text) =>
        Word().IsMatch(text) && !NotAString().IsMatch(text) ? text : JsonSerializer.Serialize(text, Quoted);

    [GeneratedRegex("^[A-Za-z/][A-Za-z0-9_./-]*$")]
    private static partial Regex Word();

    // YAML 1.1, which Helm reads, takes these words for truth values and nothing.
    [GeneratedRegex("^(y|n|yes|no|on|off|true|false|null)$", RegexOptions.IgnoreCase)]
    private static partial Regex NotAString();
}
