using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Publishing.Kubernetes;

namespace FactoryStream.LocalHosting.Publishing;

/// <summary>Writes the app model as files for another place to run it.</summary>
internal sealed class Publisher(string[] args, DistributedApplicationModel model, AppHostSettings settings)
{
    /// <summary>Does what the command line asks for; an expected failure is a line on the console and an exit code.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var request = PublishRequest.Of(args);
            await PublishAsync(request, cancellationToken);
            await Console.Out.WriteLineAsync(request.Format == PublishFormat.Manifest ? $"Manifest: {request.OutputPath}" : $"Helm chart: {request.OutputPath}");
        }
        catch (DistributedApplicationException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            Environment.ExitCode = 1;
        }
    }

    /// <summary>Writes what is asked for.</summary>
    public async Task PublishAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        if (request.Format == PublishFormat.Manifest)
        {
            var folder = Path.GetDirectoryName(request.OutputPath)!;
            var manifest = await ManifestWriter.WriteAsync(model, folder, cancellationToken);
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(request.OutputPath, manifest, cancellationToken);
            return;
        }
        var chart = await ApplicationChart.OfAsync(model, settings.Configuration, ChartName(settings.AppHostDirectory), cancellationToken);
        await chart.WriteAsync(request.OutputPath, cancellationToken);
    }

    /// <summary>FactoryStream.AppHost is the host of factorystream.</summary>
    private static string ChartName(string appHostDirectory)
    {
        var name = Path.GetFileName(appHostDirectory.TrimEnd('/'));
        return (name.EndsWith(".AppHost", StringComparison.Ordinal) ? name[..^".AppHost".Length] : name).ToLowerInvariant().Replace('.', '-');
    }
}
