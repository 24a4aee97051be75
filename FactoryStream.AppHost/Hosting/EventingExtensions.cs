using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Shorthands for Aspire's events.</summary>
internal static class EventingExtensions
{
    /// <summary>Done before anything is started, in the order of the calls, once the data folder is this AppHost's.</summary>
    public static void BeforeStart(this IDistributedApplicationBuilder builder, Func<CancellationToken, Task> action) =>
        builder.Eventing.Subscribe<BeforeStartEvent>(
            async (_, cancellationToken) =>
            {
                if (!builder.ExecutionContext.IsRunMode)
                    return;
                builder.Parts().Folder.Take();
                await action(cancellationToken);
            }
        );

    /// <summary>A line of the AppHost itself, when it starts.</summary>
    public static void Say(this IDistributedApplicationBuilder builder, string line) =>
        builder.Eventing.Subscribe<BeforeStartEvent>(
            (started, _) =>
            {
                started.Services.GetService<ConsoleOutput>()?.Say(line);
                return Task.CompletedTask;
            }
        );
}
