using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FactoryStream.AppHost.Publishing.Helm;

/// <summary>Writes a JSON tree as YAML, the same bytes for the same tree.</summary>
internal static partial class YamlText
{
    private static readonly string[] FirstKeys = ["apiVersion", "kind", "metadata", "name"];

    /// <summary>A document. Comments go above the entries whose path they are given for.</summary>
    public static string Write(JsonNode document, HelmTokens? tokens = null, IReadOnlyDictionary<string, string>? comments = null)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var settings = new EmitterSettings(
            bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024, indentSequences: true, newLine: "\n");
        var emitter = new Emitter(text, settings);
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Write(emitter, document, "", tokens, comments);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void Write(Emitter emitter, JsonNode? node, string path, HelmTokens? tokens, IReadOnlyDictionary<string, string>? comments)
    {
        switch (node)
        {
            case JsonObject map when map.Count == 1 && tokens?.IsTree(map.First().Key) == true:
                Plain(emitter, map.First().Key);
                break;
            case JsonObject map:
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, map.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (key, value) in map.OrderBy(entry => Array.IndexOf(FirstKeys, entry.Key) is >= 0 and var first ? first : FirstKeys.Length))
                {
                    var entryPath = path.Length == 0 ? key : $"{path}.{key}";
                    if (comments is not null && comments.TryGetValue(entryPath, out var comment))
                        emitter.Emit(new Comment(comment, isInline: false));
                    Text(emitter, key);
                    Write(emitter, value, entryPath, tokens, comments);
                }
                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                    Write(emitter, item, path, tokens, comments);
                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                Text(emitter, value.GetValue<string>());
                break;
            case JsonValue value:
                Plain(emitter, tokens?.TokenOfNumber(value.ToJsonString()) ?? value.ToJsonString());
                break;
            default:
                Plain(emitter, "null");
                break;
        }
    }

    private static void Text(Emitter emitter, string text)
    {
        if (HelmTokens.HasToken(text) && !HelmTokens.IsToken(text))
            throw new InvalidOperationException($"A token is part of a longer text, which Helm would not complete as one scalar: {text}");
        var plain = HelmTokens.IsToken(text) || (Word().IsMatch(text) && !NotAString().IsMatch(text));
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, plain ? ScalarStyle.Plain : ScalarStyle.DoubleQuoted, isPlainImplicit: true, isQuotedImplicit: true));
    }

    private static void Plain(Emitter emitter, string text) =>
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false));

    [GeneratedRegex("^[A-Za-z/][A-Za-z0-9_./-]*$")]
    private static partial Regex Word();

    // YAML 1.1, which Helm reads, takes these words for truth values and nothing.
    [GeneratedRegex("^(y|n|yes|no|on|off|true|false|null)$", RegexOptions.IgnoreCase)]
    private static partial Regex NotAString();
}
