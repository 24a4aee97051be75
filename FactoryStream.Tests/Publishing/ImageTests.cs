using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.Publishing;

/// <summary>Images come from the SDK alone, without a container engine, and are what the chart expects.</summary>
public sealed class ImageTests
{
    [Fact]
    public async Task The_sdk_makes_an_image_of_a_service_that_the_chart_can_run()
    {
        using var folder = new TemporaryFolder();
        await using var registry = await BaseImageRegistry.StartAsync();
        var appHost = Projects.FactoryStream_AppHost.ProjectPath;
        var configuration = AppContext.BaseDirectory.Contains(
            $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}",
            StringComparison.Ordinal
        )
            ? "Release"
            : "Debug";
        var (exitCode, output, error) = await Tool.RunAsync(
            "dotnet",
            "publish",
            Path.Combine(appHost, "..", "FactoryStream.Ingest"),
            "-t:PublishContainer",
            "--no-build",
            "-c",
            configuration,
            "-v",
            "q",
            "--nologo",
            "-nodeReuse:false",
            $"-p:ContainerBaseImage={registry.Image}",
            "-p:ContainerImageTag=1.2.3",
            $"-p:ContainerArchiveOutputPath={folder.Path}/"
        );
        Assert.True(exitCode == 0, output + error);

        var files = await UnpackAsync(Path.Combine(folder.Path, "factorystream", "ingest.tar.gz"));
        var image = JsonNode.Parse(files["manifest.json"])![0]!;
        Assert.Equal("factorystream/ingest:1.2.3", (string?)image["RepoTags"]![0]);
        var settings = JsonNode.Parse(files[(string)image["Config"]!])!["config"]!;
        Assert.Equal("1654", (string?)settings["User"]);
        Assert.Equal(["8080/tcp"], settings["ExposedPorts"]!.AsObject().Select(port => port.Key));
        Assert.Equal(["dotnet", "/app/FactoryStream.Ingest.dll"], settings["Entrypoint"]!.AsArray().Select(word => (string?)word));
    }

    /// <summary>The small files of an archive; layers are left out.</summary>
    private static async Task<Dictionary<string, byte[]>> UnpackAsync(string archive)
    {
        var files = new Dictionary<string, byte[]>();
        // Named tar.gz by the SDK; only the layers in it are compressed.
        await using var reader = new TarReader(File.OpenRead(archive));
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            if (entry is not { DataStream: { } content } || !entry.Name.EndsWith(".json", StringComparison.Ordinal))
                continue;
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy);
            files[entry.Name] = copy.ToArray();
        }
        return files;
    }

    /// <summary>A registry on the loopback with one image: the settings of .NET's own base image, and next to nothing in it.</summary>
    private sealed class BaseImageRegistry(WebApplication app) : IAsyncDisposable
    {
        public string Image => $"localhost:{new Uri(app.Urls.First()).Port}/base:1";

        public static async Task<BaseImageRegistry> StartAsync()
        {
            var layer = Layer();
            var settings = Encoding.UTF8.GetBytes(
                new JsonObject
                {
                    ["architecture"] =
                        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture
                        == System.Runtime.InteropServices.Architecture.Arm64
                            ? "arm64"
                            : "amd64",
                    ["os"] = "linux",
                    ["config"] = new JsonObject { ["Env"] = new JsonArray("PATH=/usr/bin", "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080") },
                    ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest(layer)) },
                    ["history"] = new JsonArray(new JsonObject { ["created"] = "2026-01-01T00:00:00Z" }),
                }.ToJsonString()
            );
            var compressed = Compress(layer);
            var manifest = Encoding.UTF8.GetBytes(
                new JsonObject
                {
                    ["schemaVersion"] = 2,
                    ["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json",
                    ["config"] = Reference("application/vnd.docker.container.image.v1+json", settings),
                    ["layers"] = new JsonArray(Reference("application/vnd.docker.image.rootfs.diff.tar.gzip", compressed)),
                }.ToJsonString()
            );
            var blobs = new Dictionary<string, byte[]> { [Digest(settings)] = settings, [Digest(compressed)] = compressed };

            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            app.MapGet("/v2/", () => Results.Ok());
            app.MapMethods(
                "/v2/base/manifests/{reference}",
                ["GET", "HEAD"],
                (HttpResponse response) =>
                {
                    response.Headers["Docker-Content-Digest"] = Digest(manifest);
                    return Results.Bytes(manifest, "application/vnd.docker.distribution.manifest.v2+json");
                }
            );
            app.MapMethods(
                "/v2/base/blobs/{digest}",
                ["GET", "HEAD"],
                (string digest) =>
                    blobs.TryGetValue(digest, out var blob) ? Results.Bytes(blob, "application/octet-stream") : Results.NotFound()
            );
            await app.StartAsync();
            return new BaseImageRegistry(app);
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private static JsonObject Reference(string mediaType, byte[] content) =>
            new()
            {
                ["mediaType"] = mediaType,
                ["size"] = content.Length,
                ["digest"] = Digest(content),
            };

        private static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

        private static byte[] Layer()
        {
            using var layer = new MemoryStream();
            using (var writer = new TarWriter(layer, leaveOpen: true))
                writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "app/"));
            return layer.ToArray();
        }

        private static byte[] Compress(byte[] content)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
                gzip.Write(content);
            return compressed.ToArray();
        }
    }
}
