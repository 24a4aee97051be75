using System.Text.Json;
using System.Text.Json.Nodes;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Publishing;

/// <summary>The chart as Helm and Kubernetes check it.</summary>
public sealed class ChartTests
{
    /// <summary>
    /// Where the chart is kept, so that whoever reads the repository sees what is installed, and a change of it is seen in review.
    /// </summary>
    private static readonly string Kept = Path.Combine(SharedData.Root, "deploy", "chart");

    /// <summary>Ways to install: by default, with servers of somebody else's, with all that is off by default.</summary>
    public static TheoryData<string> Installations { get; } = new(ChartInstallations.All.Keys);

    [Fact]
    public async Task Publishing_twice_gives_the_same_bytes()
    {
        using var folder = new TemporaryFolder();
        await PublishedFiles.ChartAsync(Path.Combine(folder.Path, "first"));
        await PublishedFiles.ChartAsync(Path.Combine(folder.Path, "second"));
        Assert.Equal(PublishedFiles.Read(Path.Combine(folder.Path, "first")), PublishedFiles.Read(Path.Combine(folder.Path, "second")));
    }

    [Fact]
    public async Task The_kept_chart_is_what_the_publish_command_writes()
    {
        using var folder = new TemporaryFolder();
        await PublishedFiles.ChartAsync(folder.Path);
        var (written, kept) = (PublishedFiles.Read(folder.Path), PublishedFiles.Read(Kept));
        var different = written
            .Keys.Union(kept.Keys)
            .Where(file => written.GetValueOrDefault(file) != kept.GetValueOrDefault(file))
            .Order()
            .ToArray();
        Assert.True(
            different.Length == 0,
            $"deploy/chart is not up to date: {string.Join(", ", different)}. Write it again: dotnet run --project "
                + "FactoryStream.AppHost -- --operation publish --step publish --output-path deploy/chart"
        );
    }

    [Fact]
    public async Task The_command_line_writes_the_same_chart()
    {
        using var folder = new TemporaryFolder();
        var configuration = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;
        // As documented, from where the user stands.
        var (exitCode, output, error) = await Tool.RunInAsync(
            folder.Path,
            "dotnet",
            "run",
            "--no-build",
            "-c",
            configuration,
            "--project",
            Projects.FactoryStream_AppHost.ProjectPath,
            "--",
            "--operation",
            "publish",
            "--step",
            "publish",
            "--output-path",
            "deploy/chart"
        );
        var written = Path.Combine(folder.Path, "deploy", "chart");
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains($"Helm chart: {written}", output, StringComparison.Ordinal);
        Assert.Equal(PublishedFiles.Read(Kept), PublishedFiles.Read(written));
    }

    [Fact]
    public async Task A_folder_with_somebody_elses_chart_is_left_alone()
    {
        using var folder = new TemporaryFolder();
        var chart = Path.Combine(folder.Path, "Chart.yaml");
        await File.WriteAllTextAsync(chart, "name: mine\n");
        await Assert.ThrowsAsync<Aspire.Hosting.DistributedApplicationException>(() => PublishedFiles.ChartAsync(folder.Path));
        Assert.Equal(["Chart.yaml"], PublishedFiles.Read(folder.Path).Keys);
        Assert.Equal("name: mine\n", await File.ReadAllTextAsync(chart));
    }

    [Fact]
    public async Task Publishing_again_removes_the_templates_of_what_is_gone()
    {
        using var folder = new TemporaryFolder();
        await PublishedFiles.ChartAsync(folder.Path);
        var gone = Path.Combine(folder.Path, "templates", "gone", "service.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(gone)!);
        await File.WriteAllTextAsync(gone, "kind: Service\n");
        await PublishedFiles.ChartAsync(folder.Path);
        Assert.False(File.Exists(gone));
    }

    [SkippableFact]
    public async Task Helm_lint_finds_no_fault() =>
        Assert.Contains("1 chart(s) linted, 0 chart(s) failed", await Tool.HelmAsync("lint", "--strict", Kept), StringComparison.Ordinal);

    [SkippableTheory]
    [MemberData(nameof(Installations))]
    public async Task Kubernetes_accepts_every_object(string installation)
    {
        using var folder = new TemporaryFolder();
        var objects = Path.Combine(folder.Path, "objects.yaml");
        await File.WriteAllTextAsync(objects, await Tool.HelmAsync(["template", "fs", Kept, .. ChartInstallations.All[installation]]));
        Assert.Contains("Invalid: 0, Errors: 0", await Tool.KubeconformAsync(objects), StringComparison.Ordinal);
        Assert.Contains(
            "0 chart(s) failed",
            await Tool.HelmAsync(["lint", "--strict", Kept, .. ChartInstallations.All[installation]]),
            StringComparison.Ordinal
        );
    }

    [SkippableTheory]
    [InlineData("kafka.enabled=false", "kafka.external.bootstrapServers is missing")]
    [InlineData("postgres.enabled=false", "postgres.external.")]
    [InlineData("verifier.replica=3", "replica")]
    [InlineData("verifier.replicas=many", "/verifier/replicas")]
    [InlineData("verifier.autoscaling.mode=magic", "/verifier/autoscaling/mode")]
    public async Task A_value_that_is_not_possible_is_refused_by_name(string value, string complaint) =>
        Assert.Contains(complaint, await Tool.HelmRefusesAsync("template", "fs", Kept, "--set", value), StringComparison.Ordinal);

    [Fact]
    public void No_value_is_a_secret()
    {
        var values = File.ReadAllLines(Path.Combine(Kept, "values.yaml"))
            .Where(line => !line.TrimStart().StartsWith('#'))
            .Where(line =>
                line.Contains("password", StringComparison.OrdinalIgnoreCase)
                || line.Contains("token", StringComparison.OrdinalIgnoreCase)
                || line.Contains("secret", StringComparison.OrdinalIgnoreCase)
            )
            .Select(line => line.Trim());
        Assert.All(
            values,
            line =>
                Assert.True(
                    line.EndsWith(':')
                        || line.EndsWith(": \"\"", StringComparison.Ordinal)
                        || line.EndsWith(": []", StringComparison.Ordinal)
                        || line.StartsWith("existingSecretKey:", StringComparison.Ordinal)
                        || line.StartsWith("passwordKey:", StringComparison.Ordinal),
                    line
                )
        );
    }

    [Fact]
    public async Task A_secret_given_to_the_apphost_stays_out_of_what_it_publishes()
    {
        using var folder = new TemporaryFolder();
        string[] secrets = ["--Parameters:admin-token", "a-secret-of-the-plant", "--Verifier:AdminToken", "a-secret-of-the-plant"];
        await PublishedFiles.ChartAsync(Path.Combine(folder.Path, "chart"), secrets);
        await PublishedFiles.ManifestAsync(Path.Combine(folder.Path, "aspire-manifest.json"), secrets);
        Assert.All(
            PublishedFiles.Read(folder.Path),
            file => Assert.DoesNotContain("a-secret-of-the-plant", file.Value, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_services_own_setting_becomes_a_default_of_its_values()
    {
        using var folder = new TemporaryFolder();
        await PublishedFiles.ChartAsync(folder.Path, "--Ingest:Sources:0", "http://factory.example.com/stream", "--verifier:replicas", "3");
        var values = await File.ReadAllTextAsync(Path.Combine(folder.Path, "values.yaml"));
        Assert.Contains("  config:\n    ingest__Sources__0: \"http://factory.example.com/stream\"\n", values, StringComparison.Ordinal);
        Assert.Contains("  replicas: 3\n", values, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_value_is_explained_in_the_documentation()
    {
        var documentation = File.ReadAllText(Path.Combine(SharedData.Root, "docs", "kubernetes.md"));
        var services = new[] { "ingest", "verifier", "aggregator", "dashboard", "simulator", "migrations" };
        var missing = Values()
            .Select(path =>
                services.FirstOrDefault(service => path.StartsWith(service + ".", StringComparison.Ordinal)) is { } service
                    ? $"SERVICE{path[service.Length..]}"
                    : path
            )
            .Distinct()
            .Where(path => !documentation.Contains($"`{path}`", StringComparison.Ordinal))
            .ToArray();
        Assert.Empty(missing);
    }

    [Fact]
    public void Scaling_goes_by_the_consumer_groups_and_topics_of_the_contracts()
    {
        var model = File.ReadAllText(Path.Combine(Kept, "model.yaml"));
        Assert.Contains(
            $"      group: {TopicNames.VerifierGroup}\n      topics:\n        - {TopicNames.Signed}\n",
            model,
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"      group: {TopicNames.AggregatorGroup}\n      topics:\n        - {TopicNames.Verified}\n        - {TopicNames.Rejected}\n",
            model,
            StringComparison.Ordinal
        );
    }

    [SkippableFact]
    public async Task An_autoscaler_asks_for_the_lag_of_each_topic_of_the_group()
    {
        var objects = await Tool.HelmAsync(["template", "fs", Kept, .. ChartInstallations.All["everything"]]);
        string Scaled(string service) =>
            Assert.Single(
                objects.Split("\n---\n"),
                document =>
                    document.Contains("kind: ScaledObject\n", StringComparison.Ordinal)
                    && document.Contains($"  name: {service}-scaledobject\n", StringComparison.Ordinal)
            );
        Assert.Contains(
            $"consumerGroup: {TopicNames.VerifierGroup}\n        topic: {TopicNames.Signed}\n",
            Scaled("verifier"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"consumerGroup: {TopicNames.AggregatorGroup}\n        topic: {TopicNames.Verified}\n",
            Scaled("aggregator"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"consumerGroup: {TopicNames.AggregatorGroup}\n        topic: {TopicNames.Rejected}\n",
            Scaled("aggregator"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_template_is_the_file_of_the_apphost_below_a_line_that_says_so()
    {
        var templates = PublishedFiles.Read(Path.Combine(SharedData.Root, "FactoryStream.AppHost", "Publishing", "Chart", "templates"));
        var written = PublishedFiles.Read(Path.Combine(Kept, "templates"));
        Assert.NotEmpty(templates);
        Assert.Equal(templates.Keys, written.Keys);
        Assert.All(
            templates,
            template =>
                Assert.Equal(
                    "{{- /* Written by the AppHost's publish command; changes made here are lost. */ -}}\n" + template.Value,
                    written[template.Key]
                )
        );
    }

    private static IEnumerable<string> Values()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Kept, "values.schema.json")));
        return [.. Leaves(JsonNode.Parse(schema.RootElement.GetRawText())!, "").Where(path => path != "global")];

        static IEnumerable<string> Leaves(JsonNode node, string path) =>
            node["properties"] is JsonObject properties
                ? properties.SelectMany(property => Leaves(property.Value!, path.Length == 0 ? property.Key : $"{path}.{property.Key}"))
                : [path];
    }
}
