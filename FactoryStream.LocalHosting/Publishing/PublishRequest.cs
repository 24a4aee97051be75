using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace FactoryStream.LocalHosting.Publishing;

/// <summary>What a publish command asks for.</summary>
internal enum PublishFormat
{
    /// <summary>A folder with a Helm chart.</summary>
    HelmChart,

    /// <summary>One JSON file with the application as described.</summary>
    Manifest,
}

/// <summary>
/// The AppHost's command line when it is to write files instead of running, as Aspire has it:
/// <c>--operation publish --step publish --output-path DIR</c> or <c>--publisher manifest --output-path FILE.json</c>.
/// </summary>
internal sealed record PublishRequest(PublishFormat Format, string OutputPath)
{
    /// <summary>Whether the command line asks for files. An environment variable never does: names such as <c>operation</c> are anybody's.</summary>
    public static bool IsIn(string[]? args) => CommandLine(args) is var line && (line["publisher"] is not null || string.Equals(line["operation"], "publish", StringComparison.OrdinalIgnoreCase));

    /// <summary>The request of a command line that has one.</summary>
    public static PublishRequest Of(string[]? args)
    {
        var configuration = CommandLine(args);
        var operation = configuration["operation"];
        var publisher = configuration["publisher"];
        if (operation is not null && !string.Equals(operation, "publish", StringComparison.OrdinalIgnoreCase))
            throw new DistributedApplicationException($"--publisher is given, so --operation is 'publish', not '{operation}'.");

        var format = publisher?.ToUpperInvariant() switch
        {
            "MANIFEST" => PublishFormat.Manifest,
            null => PublishFormat.HelmChart,
            _ => throw new DistributedApplicationException($"--publisher is 'manifest' or left out, not '{publisher}'."),
        };
        if (configuration["step"] is { } step && !string.Equals(step, "publish", StringComparison.OrdinalIgnoreCase))
            throw new DistributedApplicationException($"--step is 'publish', not '{step}': the local way writes files and deploys nothing.");
        if (string.IsNullOrWhiteSpace(configuration["output-path"]))
            throw new DistributedApplicationException("--output-path is missing: a folder for the chart, or a file for the manifest.");
        return new PublishRequest(format, Path.GetFullPath(configuration["output-path"]!));
    }

    private static IConfiguration CommandLine(string[]? args) => new ConfigurationBuilder().AddCommandLine(args ?? []).Build();
}
