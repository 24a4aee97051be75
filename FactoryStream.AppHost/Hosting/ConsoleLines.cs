using System.Collections.Concurrent;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Every process's lines on the AppHost's console, its name in front.</summary>
internal sealed class ConsoleLines(
    Instances instances,
    ResourceLoggerService loggers,
    ConsoleOutput output,
    AppHostSettings settings,
    IHostApplicationLifetime lifetime
) : IDistributedApplicationEventingSubscriber
{
    private readonly ConcurrentDictionary<string, bool> followed = new();

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing,
        DistributedApplicationExecutionContext executionContext,
        CancellationToken cancellationToken
    )
    {
        // A test's console is its own.
        if (settings.RandomizePorts)
            return Task.CompletedTask;
        eventing.Subscribe<BeforeStartEvent>(
            (_, _) =>
            {
                _ = instances.FollowAsync(
                    change =>
                    {
                        if (followed.TryAdd(change.ResourceId, true))
                            _ = CopyAsync(change.ResourceId);
                    },
                    lifetime.ApplicationStopped
                );
                return Task.CompletedTask;
            }
        );
        return Task.CompletedTask;
    }

    /// <summary>A line as Aspire keeps it: <c>2026-11-27T07:45:04.1234567Z text</c>.</summary>
    public static string WithoutTime(string line) =>
        line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space
        && DateTimeOffset.TryParse(line.AsSpan(0, space), System.Globalization.CultureInfo.InvariantCulture, out _)
            ? line[(space + 1)..]
            : line;

    /// <summary>
    /// What Aspire says, with a stack trace, of each that was still to be started when the end was asked for:
    /// <c>Failed to create resource ingest\nSystem.OperationCanceledException: ...</c>, or that it
    /// <c>Stopped waiting for resource 'postgres' to become healthy because it failed to start.</c>
    /// </summary>
    public static bool IsInterruption(string line) =>
        line.Contains("Failed to create resource", StringComparison.Ordinal)
        && (
            line.Contains("System.OperationCanceledException", StringComparison.Ordinal)
            || line.Contains("System.Threading.Tasks.TaskCanceledException", StringComparison.Ordinal)
            // What it waited for was ended before it.
            || line.Contains("Stopped waiting for resource '", StringComparison.Ordinal)
        );

    private async Task CopyAsync(string id)
    {
        try
        {
            await foreach (var lines in loggers.WatchAsync(id).WithCancellation(lifetime.ApplicationStopped))
            {
                foreach (
                    var line in lines.Where(line => !(lifetime.ApplicationStopping.IsCancellationRequested && IsInterruption(line.Content)))
                )
                    output.Write(id, WithoutTime(line.Content), line.IsErrorMessage);
            }
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopped.IsCancellationRequested)
        {
            // The application has ended.
        }
    }
}
