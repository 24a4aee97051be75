using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>start, stop and restart: what every process can be told.</summary>
internal static class LifecycleCommands
{
    public static void AddTo(IResource resource)
    {
        if (resource.Annotations.OfType<ResourceCommandAnnotation>().Any(command => command.Name == KnownResourceCommands.StartCommand))
            return;
        Add(KnownResourceCommands.StartCommand, "Start", "Play", highlighted: true,
            state => IsStopped(state) || state == KnownResourceStates.Waiting ? ResourceCommandState.Enabled : ResourceCommandState.Hidden,
            (instance, cancellationToken) => instance.StartAsync(cancellationToken));
        Add(KnownResourceCommands.StopCommand, "Stop", "Stop", highlighted: true,
            state => IsStopped(state) ? ResourceCommandState.Hidden : state == KnownResourceStates.Stopping ? ResourceCommandState.Disabled : ResourceCommandState.Enabled,
            (instance, cancellationToken) => instance.StopAsync(cancellationToken));
        Add(KnownResourceCommands.RestartCommand, "Restart", "ArrowCounterclockwise", highlighted: false,
            state => state == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
            async (instance, cancellationToken) =>
            {
                await instance.StopAsync(cancellationToken);
                await instance.StartAsync(cancellationToken);
            });

        void Add(string name, string displayName, string icon, bool highlighted, Func<string?, ResourceCommandState> state, Func<ResourceInstance, CancellationToken, Task> execute) =>
            resource.Annotations.Add(new ResourceCommandAnnotation(
                name,
                displayName,
                async context =>
                {
                    var instance = context.Services.GetRequiredService<Supervisor>().Find(context.ResourceName);
                    if (instance is null)
                        return CommandResults.Failure($"There is no instance '{context.ResourceName}'.");
                    await execute(instance, context.CancellationToken);
                    return CommandResults.Success();
                },
                new CommandOptions
                {
                    IconName = icon,
                    IconVariant = highlighted ? IconVariant.Filled : IconVariant.Regular,
                    IsHighlighted = highlighted,
                    UpdateState = context => state(context.ResourceSnapshot.State?.Text),
                }));
    }

    private static bool IsStopped(string? state) => state == KnownResourceStates.NotStarted || KnownResourceStates.TerminalStates.Contains(state);
}
