using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FactoryStream.AppHost.Publishing.Helm;

/// <summary>A value of the chart, as it is declared: where it is first used.</summary>
internal sealed record HelmValue(string Path, JsonNode Default, string Description, string Type, IReadOnlyList<string>? Choices = null);

/// <summary>The values that a chart's user may set: each with a default and a description, which become values.yaml and its JSON schema.</summary>
internal sealed partial class HelmValues
{
    private readonly List<HelmValue> declared = [];
    private readonly Dictionary<string, string> groups = [];

    public IReadOnlyList<HelmValue> Declared => declared;

    /// <summary>Says what a group of values is about.</summary>
    public void Describe(string path, string description) => groups[path] = description;

    public HelmString Text(string path, string @default, string description) => HelmString.Of(Declare(path, @default, description, "string"));

    /// <summary>A text of a closed list.</summary>
    public string Choice(string path, IReadOnlyList<string> choices, string description) => Declare(path, choices[0], description, "string", choices);

    public string Number(string path, int @default, string description) => Declare(path, @default, description, "integer");

    public string Flag(string path, bool @default, string description) => Declare(path, @default, description, "boolean");

    public string Map(string path, JsonObject @default, string description) => Declare(path, @default, description, "object");

    /// <summary>A map of texts, numbers and truth values, for instance environment variables.</summary>
    public string Scalars(string path, JsonObject @default, string description) => Declare(path, @default, description, "scalars");

    public string List(string path, string description) => Declare(path, new JsonArray(), description, "array");

    /// <summary>values.yaml: every value with its default, its description above it.</summary>
    public string ToYaml()
    {
        var root = new JsonObject();
        var comments = new Dictionary<string, string>(groups);
        foreach (var value in declared)
        {
            var steps = value.Path.Split('.');
            var parent = root;
            foreach (var step in steps[..^1])
                parent = (JsonObject)(parent[step] ??= new JsonObject());
            parent[steps[^1]] = value.Default.DeepClone();
            comments[value.Path] = value.Description + (value.Choices is null ? "" : $" One of {string.Join(", ", value.Choices)}.");
        }
        return YamlText.Write(root, comments: comments);
    }

    /// <summary>values.schema.json: Helm refuses a value that is misspelt or of the wrong type.</summary>
    public JsonObject ToSchema()
    {
        var root = Group("Values of the chart.");
        // Helm's own: values for a chart and all its parents.
        ((JsonObject)root["properties"]!)["global"] = new JsonObject { ["type"] = "object" };
        foreach (var value in declared)
        {
            var steps = value.Path.Split('.');
            var parent = root;
            for (var depth = 1; depth < steps.Length; depth++)
            {
                var properties = (JsonObject)parent["properties"]!;
                parent = (JsonObject)(properties[steps[depth - 1]] ??= Group(groups.GetValueOrDefault(string.Join('.', steps[..depth]))));
            }
            var schema = new JsonObject { ["type"] = value.Type == "scalars" ? "object" : value.Type, ["description"] = value.Description };
            if (value.Type == "scalars")
                schema["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") };
            if (value.Choices is not null)
                schema["enum"] = new JsonArray([.. value.Choices.Select(choice => JsonValue.Create(choice))]);
            if (value.Type == "integer")
                schema["minimum"] = 0;
            ((JsonObject)parent["properties"]!)[steps[^1]] = schema;
        }
        root.Insert(0, "$schema", "http://json-schema.org/draft-07/schema#");
        return root;
    }

    private static JsonObject Group(string? description)
    {
        var group = new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = new JsonObject() };
        if (description is not null)
            group.Insert(1, "description", description);
        return group;
    }

    private string Declare(string path, JsonNode @default, string description, string type, IReadOnlyList<string>? choices = null)
    {
        if (!Paths().IsMatch(path))
            throw new ArgumentException($"'{path}' cannot be read from a Go template.");
        if (declared.FirstOrDefault(value => value.Path == path) is not { } known)
            declared.Add(new HelmValue(path, @default, description, type, choices));
        else if (known.Type != type || !JsonNode.DeepEquals(known.Default, @default))
            throw new ArgumentException($"'{path}' is declared twice, and differently.");
        return $".Values.{path}";
    }

    [GeneratedRegex("^[a-zA-Z][a-zA-Z0-9]*(\\.[a-zA-Z][a-zA-Z0-9]*)*$")]
    private static partial Regex Paths();
}
