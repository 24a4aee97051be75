using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.LocalHosting;
using FactoryStream.LocalHosting.Publishing;

namespace FactoryStream.Tests.Publishing;

/// <summary>What the AppHost's own app model is published as.</summary>
internal static class PublishedFiles
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Publishes into a folder, the chart, or a file of it, the manifest; returns the model.</summary>
    public static async Task<DistributedApplicationModel> PublishAsync(params string[] args)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(args, timeout.Token);
        var model = new DistributedApplicationModel(builder.Resources);
        var settings = new AppHostSettings(builder.Configuration, builder.AppHostDirectory, "Production", IsTest: true);
        await new Publisher(args, model, settings).PublishAsync(PublishRequest.Of(args), timeout.Token);
        return model;
    }

    public static Task<DistributedApplicationModel> ChartAsync(string folder) => PublishAsync("--operation", "publish", "--step", "publish", "--output-path", folder);

    public static Task<DistributedApplicationModel> ManifestAsync(string file) => PublishAsync("--operation", "publish", "--publisher", "manifest", "--output-path", file);

    /// <summary>All files below a folder: path within it, and content.</summary>
    public static SortedDictionary<string, string> Read(string folder) => new(
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllText), StringComparer.Ordinal);
}
