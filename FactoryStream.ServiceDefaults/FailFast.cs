using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// The one way in which a service ends because it cannot go on: logged once, and with exit code 1, so that the orchestrator starts it
/// again. The generic host by itself stops when a <see cref="BackgroundService"/> fails, but with exit code 0, which looks as if the work
/// were done; so it is configured to leave that to this class.
/// </summary>
/// <param name="services">Where the service's workers are found.</param>
/// <param name="lifetime">The host's lifetime, by which the service is stopped.</param>
/// <param name="logger">Gets once why the service ends.</param>
public sealed partial class FailFast(IServiceProvider services, IHostApplicationLifetime lifetime, ILogger<FailFast> logger)
    : IHostedLifecycleService
{
    private int exitCode;

    /// <summary>0 until something failed, then 1: what the process ends with.</summary>
    public int ExitCode => Volatile.Read(ref exitCode);

    /// <summary>Logs the reason and stops the service, with exit code 1; only the first call does anything.</summary>
    /// <param name="who">The part that cannot, e.g. the worker's name.</param>
    /// <param name="reason">Why it cannot go on, in words for the log.</param>
    public void Stop(string who, string reason)
    {
        if (Interlocked.Exchange(ref exitCode, 1) == 1)
            return;
        Environment.ExitCode = 1;
        CannotGoOn(who, reason);
        lifetime.StopApplication();
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // Not before all have started: a start that is broken off throws out of Main, and the process dies by a signal. Not by the
        // constructor: this is one of them.
        foreach (var worker in services.GetServices<IHostedService>().OfType<BackgroundService>())
            _ = worker.ExecuteTask?.ContinueWith(
                ended => Look(worker, ended),
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default
            );
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        // Once more, for what failed while it stopped: nobody waits for the continuations.
        foreach (var worker in services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            if (worker.ExecuteTask is { IsCompleted: true } ended)
                Look(worker, ended);
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Look(BackgroundService worker, Task ended)
    {
        if (ended.Exception is { } failure)
            Stop(worker.GetType().Name, failure.GetBaseException().Message);
        // A time-out of its own that it did not expect ends a worker as well.
        else if (ended.IsCanceled && !lifetime.ApplicationStopping.IsCancellationRequested)
            Stop(worker.GetType().Name, "it was cancelled while the service was not stopping");
    }

    [LoggerMessage(
        1,
        LogLevel.Critical,
        "{Who} cannot go on, so the service ends with exit code 1: {Reason}",
        EventName = nameof(CannotGoOn)
    )]
    private partial void CannotGoOn(string who, string reason);
}
