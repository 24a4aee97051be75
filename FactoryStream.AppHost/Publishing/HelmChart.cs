using System.Text.Encodings.Web;
using System.Text.Json;

namespace FactoryStream.AppHost.Publishing;

/// <summary>
/// The chart's files: those of <c>Chart/</c> as they are, and beside them what the app model says (<c>model.yaml</c>) and the values with
/// their schema.
/// </summary>
internal static class HelmChart
{
    private const string Folder = "chart/";

    /// <summary>First line of every file: tells people not to edit it, and the publisher that it may replace it.</summary>
    private const string Generated = "# Written by the AppHost's publish command; changes made here are lost.";

    /// <summary>The same for a template: it leaves nothing behind where the object is left out.</summary>
    private const string GeneratedTemplate = "{{- /* Written by the AppHost's publish command; changes made here are lost. */ -}}";

    /// <summary>JSON for people: escaped only where it must be.</summary>
    public static JsonSerializerOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>All files of the application's chart, by path.</summary>
    public static SortedDictionary<string, string> FilesOf(PublishedApplication application, PublishOptions options)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Templates())
            files.Add(path, $"{GeneratedTemplate}\n{Read(path)}");
        var version = typeof(HelmChart).Assembly.GetName().Version!.ToString(3);
        files.Add("Chart.yaml", $"{Generated}\n{Read("Chart.yaml").Replace("0.0.0", version, StringComparison.Ordinal)}");
        files.Add(
            "model.yaml",
            $"{Generated}\n# What the AppHost's app model says; templates/ makes objects of it and of the values.\n"
                + YamlText.Write(ChartModel.Of(application))
        );
        var values = new ChartValues(Read("values.schema.json"), application, options);
        files.Add("values.yaml", $"{Generated}\n# Each value is explained in docs/kubernetes.md.\n{values.ToYaml()}");
        files.Add("values.schema.json", values.ToSchema());
        return files;
    }

    /// <summary>Writes the chart; what an earlier run left of its templates is removed first.</summary>
    public static async Task WriteAsync(string folder, IReadOnlyDictionary<string, string> files, CancellationToken cancellationToken)
    {
        var chartFile = Path.Combine(folder, "Chart.yaml");
        if (File.Exists(chartFile))
        {
            // Somebody else's chart is not ours to replace.
            if (!(await File.ReadAllTextAsync(chartFile, cancellationToken)).StartsWith(Generated, StringComparison.Ordinal))
                throw new DistributedApplicationException($"{chartFile} was not written by this command; give an empty folder.");
            if (Directory.Exists(Path.Combine(folder, "templates")))
                Directory.Delete(Path.Combine(folder, "templates"), recursive: true);
        }
        foreach (var (path, content) in files)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, content, cancellationToken);
        }
    }

    private static IEnumerable<string> Templates() =>
        typeof(HelmChart)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder + "templates/", StringComparison.Ordinal))
            .Select(name => name[Folder.Length..]);

    private static string Read(string path)
    {
        using var reader = new StreamReader(typeof(HelmChart).Assembly.GetManifestResourceStream(Folder + path)!);
        return reader.ReadToEnd();
    }
}
