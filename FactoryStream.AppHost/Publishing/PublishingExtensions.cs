using Aspire.Hosting.Pipelines;
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
        builder.Pipeline.AddStep(
            "helm-chart",
            async context =>
            {
                var folder = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
                var task = await context.ReportingStep.CreateTaskAsync("Writing the Helm chart", context.CancellationToken);
                await using (task)
                {
                    await WriteChartAsync(context.Model, builder.Configuration, folder, context.CancellationToken);
                    await task.CompleteAsync($"Helm chart: {folder}", CompletionState.Completed, context.CancellationToken);
                }
                // The task is for the Aspire CLI, which shows it; without it there is the console.
                await Console.Out.WriteLineAsync($"Helm chart: {folder}");
            },
            requiredBy: WellKnownPipelineSteps.Publish
        );
        return builder;
    }

    /// <summary>Writes the chart of a model into a folder.</summary>
    public static async Task WriteChartAsync(
        DistributedApplicationModel model,
        IConfiguration configuration,
        string folder,
        CancellationToken cancellationToken
    )
    {
        var application = await PublishedApplication.OfAsync(model, configuration, cancellationToken);
        var options = configuration.GetSection(PublishOptions.Section).Get<PublishOptions>() ?? new PublishOptions();
        await HelmChart.WriteAsync(folder, HelmChart.FilesOf(application, options), cancellationToken);
    }
}
