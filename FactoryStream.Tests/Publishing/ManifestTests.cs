using System.Text.Json.Nodes;

namespace FactoryStream.Tests.Publishing;

/// <summary>aspire-manifest.json: the app model, with an expression wherever a value is known only where it runs.</summary>
public sealed class ManifestTests
{
    [Fact]
    public async Task A_service_with_everything_reads_as_aspire_writes_it()
    {
        var verifier = (await ManifestAsync())["verifier"]!;
        Assert.Equal(TestData.Text("manifest/verifier.json"), verifier.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task A_reference_to_a_service_is_its_url()
    {
        var resources = await ManifestAsync();
        Assert.Equal("{verifier.bindings.http.url}", (string?)resources["ingest"]!["env"]!["services__verifier__http__0"]);
        Assert.Equal("{verifier.bindings.http.url}", (string?)resources["simulator"]!["env"]!["services__verifier__http__0"]);
        Assert.True((bool)resources["ingest"]!["bindings"]!["http"]!["external"]!);
        Assert.Null(resources["verifier"]!["bindings"]!["http"]!["external"]);
        Assert.Equal(["simulate"], resources["simulator"]!["args"]!.AsArray().Select(argument => (string?)argument));
    }

    [Fact]
    public async Task Servers_and_databases_are_containers_and_values()
    {
        var resources = await ManifestAsync();
        Assert.Equal(
            ("container.v0", "{kafka.bindings.tcp.host}:{kafka.bindings.tcp.port}", 9092),
            (
                (string?)resources["kafka"]!["type"],
                (string?)resources["kafka"]!["connectionString"],
                (int)resources["kafka"]!["bindings"]!["tcp"]!["targetPort"]!
            )
        );
        Assert.Equal(
            "Host={postgres.bindings.tcp.host};Port={postgres.bindings.tcp.port};Username=postgres;Password={postgres-password.value}",
            (string?)resources["postgres"]!["connectionString"]
        );
        Assert.Equal(
            ("value.v0", "{postgres.connectionString};Database=factorydb"),
            ((string?)resources["factorydb"]!["type"], (string?)resources["factorydb"]!["connectionString"])
        );
    }

    [Fact]
    public async Task A_secret_is_an_input_and_never_a_value()
    {
        var token = (await ManifestAsync())["admin-token"]!;
        Assert.Equal("{admin-token.inputs.value}", (string?)token["value"]);
        Assert.True((bool)token["inputs"]!["value"]!["secret"]!);
        Assert.Equal(32, (int)token["inputs"]!["value"]!["default"]!["generate"]!["minLength"]!);
    }

    [Fact]
    public async Task Every_resource_of_the_model_is_there_and_understood()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "aspire-manifest.json");
        await PublishedFiles.ManifestAsync(file);
        var model = await PublishedFiles.ModelAsync();
        var resources = JsonNode.Parse(await File.ReadAllTextAsync(file))!["resources"]!.AsObject();
        Assert.Equal(model.Resources.Select(resource => resource.Name), resources.Select(resource => resource.Key));
        Assert.All(resources, resource => Assert.NotNull(resource.Value!["type"]));
    }

    [Fact]
    public async Task Writing_it_twice_gives_the_same_bytes()
    {
        using var folder = new TemporaryFolder();
        await PublishedFiles.ManifestAsync(Path.Combine(folder.Path, "first.json"));
        await PublishedFiles.ManifestAsync(Path.Combine(folder.Path, "second.json"));
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(folder.Path, "first.json")),
            await File.ReadAllTextAsync(Path.Combine(folder.Path, "second.json"))
        );
    }

    // Written as it would be into the AppHost's folder, so that paths read as people know them.
    private static async Task<JsonObject> ManifestAsync()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "aspire-manifest.json");
        await PublishedFiles.ManifestAsync(file);
        var above = Path.GetRelativePath(folder.Path, Path.GetDirectoryName(Projects.FactoryStream_AppHost.ProjectPath)!);
        var manifest = (await File.ReadAllTextAsync(file)).Replace(above + "/", "../", StringComparison.Ordinal);
        return JsonNode.Parse(manifest)!["resources"]!.AsObject();
    }
}
