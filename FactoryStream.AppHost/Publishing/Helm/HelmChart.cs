using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;

namespace FactoryStream.AppHost.Publishing.Helm;

/// <summary>A Helm chart in the making: typed objects and values in, files out.</summary>
internal sealed class HelmChart(string name, string version, string description)
{
    /// <summary>First line of every file: tells people not to edit it, and the publisher that it may replace it.</summary>
    private const string Generated = "# Written by the AppHost's publish command; changes made here are lost.";

    /// <summary>The same for a template: it leaves nothing behind where the object is left out.</summary>
    private const string GeneratedTemplate = "{{- /* Written by the AppHost's publish command; changes made here are lost. */ -}}";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SortedDictionary<string, string> templates = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    public HelmValues Values { get; } = new();

    public HelmTokens Tokens { get; } = new();

    /// <summary>Adds <c>templates/FOLDER/FILE.yaml</c>: one object, there only while the condition is true.</summary>
    /// <param name="folder">Whose object it is.</param>
    /// <param name="file">What it is.</param>
    /// <param name="manifest">The object, of the Kubernetes client's models or of the same shape.</param>
    /// <param name="condition">A Go template pipeline; always, if null.</param>
    /// <param name="replace">Trees of the object, by path, that come from values.</param>
    public void Add(string folder, string file, object manifest, string? condition = null, IReadOnlyDictionary<string, string>? replace = null)
    {
        var tree = JsonNode.Parse(KubernetesJson.Serialize(manifest))!.AsObject();
        foreach (var (path, token) in replace ?? new Dictionary<string, string>())
            Replace(tree, path, token);
        var yaml = Tokens.Complete(YamlText.Write(tree, Tokens));
        templates.Add($"templates/{folder}/{file}.yaml", condition is null ? yaml : $"{{{{- if {condition} }}}}\n{yaml}{{{{- end }}}}\n");
    }

    /// <summary>Adds what Helm says after installing.</summary>
    public void AddNotes(IEnumerable<string> lines) => templates.Add("templates/NOTES.txt", string.Join('\n', lines) + "\n");

    /// <summary>Writes the chart; what an earlier run left of its templates is removed first.</summary>
    public async Task WriteAsync(string folder, CancellationToken cancellationToken)
    {
        var chartFile = Path.Combine(folder, "Chart.yaml");
        if (File.Exists(chartFile))
        {
            // Somebody else's chart is not ours to replace.
            if (!(await File.ReadAllTextAsync(chartFile, cancellationToken)).StartsWith(Generated, StringComparison.Ordinal))
                throw new Aspire.Hosting.DistributedApplicationException($"{chartFile} was not written by this command; give an empty folder.");
            if (Directory.Exists(Path.Combine(folder, "templates")))
                Directory.Delete(Path.Combine(folder, "templates"), recursive: true);
        }
        foreach (var (path, content) in Files())
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, content, cancellationToken);
        }
    }

    private IEnumerable<(string Path, string Content)> Files()
    {
        yield return ("Chart.yaml", $"{Generated}\n" + YamlText.Write(new JsonObject
        {
            ["apiVersion"] = "v2",
            ["name"] = Name,
            ["description"] = description,
            ["type"] = "application",
            ["version"] = version,
            ["appVersion"] = version,
            ["keywords"] = new JsonArray("kafka", "postgresql", "iot", "aspire"),
        }));
        yield return ("values.yaml", $"{Generated}\n# Each value is explained in docs/kubernetes.md.\n" + Values.ToYaml());
        yield return ("values.schema.json", Values.ToSchema().ToJsonString(Indented) + "\n");
        foreach (var (path, content) in templates)
            yield return (path, path.EndsWith(".yaml", StringComparison.Ordinal) ? $"{GeneratedTemplate}\n{content}" : content);
    }

    /// <summary>Puts a token at a path such as <c>spec.volumeClaimTemplates.0.spec.resources</c>.</summary>
    private static void Replace(JsonNode tree, string path, string token)
    {
        var steps = path.Split('.');
        var parent = tree;
        foreach (var step in steps[..^1])
            parent = parent is JsonArray list ? list[int.Parse(step, CultureInfo.InvariantCulture)]! : parent[step] ??= new JsonObject();
        parent[steps[^1]] = token;
    }
}
