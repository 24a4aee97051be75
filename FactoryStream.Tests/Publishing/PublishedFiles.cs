using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.AppHost.Publishing;
using FactoryStream.Tests.AppHost;

namespace FactoryStream.Tests.Publishing;

/// <summary>What the AppHost's own app model is published as.</summary>
internal static class PublishedFiles
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Publishes the chart into a folder; returns the model.</summary>
    public static async Task<DistributedApplicationModel> ChartAsync(string folder, params string[] args)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(
            ["--operation", "publish", .. args],
            timeout.Token
        );
        var model = new DistributedApplicationModel(builder.Resources);
        await PublishingExtensions.WriteChartAsync(model, builder.Configuration, folder, timeout.Token);
        return model;
    }

    /// <summary>Has Aspire write the manifest, as its user would.</summary>
    public static async Task ManifestAsync(string file, params string[] args)
    {
        var (exitCode, output, error) = await Tool.RunAsync(
            LocalServers.AppHost,
            ["--operation", "publish", "--publisher", "manifest", "--output-path", file, .. args]
        );
        Assert.True(exitCode == 0, output + error);
    }

    /// <summary>The model that is published.</summary>
    public static async Task<DistributedApplicationModel> ModelAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(
            ["--operation", "publish"],
            timeout.Token
        );
        return new DistributedApplicationModel(builder.Resources);
    }

    /// <summary>All files below a folder: path within it, and content.</summary>
    public static SortedDictionary<string, string> Read(string folder) =>
        new(
            Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllText),
            StringComparer.Ordinal
        );
}
