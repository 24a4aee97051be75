using System.Collections.Concurrent;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// Starts again, ever more slowly, whatever ended unasked: a service and a server are never done, whatever they end with. What was stopped
/// by a command stays stopped; a job that others wait for is done when it ends with 0, and is given up after some attempts.
/// </summary>
internal sealed class Restarts(
    Instances instances,
    ResourceCommandService commands,
    ResourceLoggerService loggers,
    IHostApplicationLifetime lifetime,
    TimeProvider clock
) : IDistributedApplicationEventingSubscriber
{
    /// <summary>How often a job that others wait for may fail before they fail as well.</summary>
    private const int MostAttempts = 5;

    /// <summary>How long a process must have run for its next crash to be a first one again.</summary>
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(10);

    private static readonly double[] BackOffSeconds = [0.1, 0.5, 1, 2, 5, 10, 30];

    private readonly ConcurrentDictionary<string, History> histories = new();

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing,
        DistributedApplicationExecutionContext executionContext,
        CancellationToken cancellationToken
    )
    {
        // Before the first is started: a hosted service would come too late for what crashes at once.
        eventing.Subscribe<BeforeStartEvent>(
            (_, _) =>
            {
                _ = instances.FollowAsync(Look, lifetime.ApplicationStopping);
                return Task.CompletedTask;
            }
        );
        return Task.CompletedTask;
    }

    /// <summary>How long to wait before the next start, after so many crashes in a row; null: no more.</summary>
    public static double? Delay(int crashes, bool isJob) =>
        isJob && crashes >= MostAttempts ? null : BackOffSeconds[Math.Min(crashes, BackOffSeconds.Length) - 1];

    private void Look(ResourceEvent change)
    {
        var history = histories.GetOrAdd(change.ResourceId, _ => new History());
        var state = change.Snapshot.State?.Text;
        if (state == KnownResourceStates.Stopping)
            history.WasAsked = true;
        else if (state == KnownResourceStates.Starting || state == KnownResourceStates.Running)
        {
            if (!history.IsUp)
                (history.IsUp, history.WasAsked, history.StartedAt) = (true, false, clock.GetTimestamp());
        }
        else if (KnownResourceStates.TerminalStates.Contains(state))
        {
            if (history.IsRestarting || (!history.IsUp && state != KnownResourceStates.FailedToStart))
                return;
            var wasUp = history.IsUp;
            history.IsUp = false;
            var isJob = instances.IsJob(change.Resource);
            if (history.WasAsked)
            {
                SupervisionLog.StaysStopped(loggers.GetLogger(change.ResourceId));
                return;
            }
            if (isJob && change.Snapshot.ExitCode == 0)
                return;
            history.Crashes = wasUp && clock.GetElapsedTime(history.StartedAt) > LongEnough ? 1 : history.Crashes + 1;
            history.IsRestarting = true;
            _ = StartAgainAsync(change, history, isJob);
        }
    }

    private async Task StartAgainAsync(ResourceEvent ended, History history, bool isJob)
    {
        var logger = loggers.GetLogger(ended.ResourceId);
        try
        {
            if (Delay(history.Crashes, isJob) is not { } seconds)
            {
                SupervisionLog.GivenUp(logger, ended.Snapshot.ExitCode, history.Crashes);
                return;
            }
            SupervisionLog.StartedAgain(logger, ended.Snapshot.ExitCode, seconds);
            await Task.Delay(TimeSpan.FromSeconds(seconds), clock, lifetime.ApplicationStopping);
            history.IsRestarting = false;
            var result = await commands.ExecuteCommandAsync(
                ended.ResourceId,
                KnownResourceCommands.StartCommand,
                lifetime.ApplicationStopping
            );
            if (!result.Success)
                SupervisionLog.CannotStart(logger, result.Message);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The application ends: nothing is started any more.
        }
        finally
        {
            history.IsRestarting = false;
        }
    }

    /// <summary>Touched by the one who follows, and while that one leaves it alone by the one who starts again.</summary>
    private sealed class History
    {
        public bool IsUp { get; set; }

        public bool WasAsked { get; set; }

        public volatile bool IsRestarting;

        public int Crashes { get; set; }

        public long StartedAt { get; set; }
    }
}
