using Aspire.Hosting.Pipelines;
using FactoryStream.AppHost.Publishing.Kubernetes;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.AppHost.Publishing;

/// <summary>Publishing the app model as a Helm chart: a step of Aspire's own `publish`.</summary>
internal static class PublishingExtensions
{
    /// <summary>`--operation publish --step publish --output-path DIR` writes the chart into DIR.</summary>
    public static IDistributedApplicationBuilder AddHelmChart(this IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsPublishMode)
            return builder;
        builder.Pipeline.AddStep("helm-chart", async context =>
        {
            var folder = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
            var task = await context.ReportingStep.CreateTaskAsync("Writing the Helm chart", context.CancellationToken);
            await using (task)
            {
                await WriteChartAsync(context.Model, builder.Configuration, builder.AppHostDirectory, folder, context.CancellationToken);
                await task.CompleteAsync($"Helm chart: {folder}", CompletionState.Completed, context.CancellationToken);
            }
            // The task is for the Aspire CLI, which shows it; without it there is the console.
            await Console.Out.WriteLineAsync($"Helm chart: {folder}");
        }, requiredBy: WellKnownPipelineSteps.Publish);
        return builder;
    }

    /// <summary>Writes the chart of a model into a folder.</summary>
    public static async Task WriteChartAsync(DistributedApplicationModel model, IConfiguration configuration, string appHostDirectory,
        string folder, CancellationToken cancellationToken)
    {
        var chart = await ApplicationChart.OfAsync(model, configuration, ChartName(appHostDirectory), cancellationToken);
        await chart.WriteAsync(folder, cancellationToken);
    }

    /// <summary>FactoryStream.AppHost is the host of factorystream.</summary>
    private static string ChartName(string appHostDirectory)
    {
        var name = Path.GetFileName(appHostDirectory.TrimEnd('/'));
        return (name.EndsWith(".AppHost", StringComparison.Ordinal) ? name[..^".AppHost".Length] : name).ToLowerInvariant()
            .Replace('.', '-');
    }
}
