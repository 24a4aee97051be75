using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// The one way in which a service ends because it cannot go on: said once, and with exit code 1, so that whoever watches over it starts it again. The generic host by itself
/// stops when a <see cref="BackgroundService"/> fails, but with exit code 0, which looks as if the work were done.
/// </summary>
public sealed partial class FailFast(IServiceProvider services, IHostApplicationLifetime lifetime, ILogger<FailFast> logger) : IHostedLifecycleService
{
    private int exitCode;

    /// <summary>0 until something failed, then 1: what the process ends with.</summary>
    public int ExitCode => Volatile.Read(ref exitCode);

    /// <summary>Ends the service: it cannot go on.</summary>
    /// <param name="who">The part that cannot, e.g. the worker's name.</param>
    /// <param name="reason">Why, in words.</param>
    public void Stop(string who, string reason)
    {
        if (Interlocked.Exchange(ref exitCode, 1) == 1)
            return;
        Environment.ExitCode = 1;
        CannotGoOn(who, reason);
        lifetime.StopApplication();
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // The host stops the application as soon as a worker has failed, so a failure shows here whenever it comes, even while others still start.
        // A worker that was cancelled though nobody stopped the service has failed as well: a time-out of its own that it did not expect.
        lifetime.ApplicationStopping.Register(() => Look(alsoCancelled: true));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        // What failed only while it stopped.
        Look(alsoCancelled: false);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Look(bool alsoCancelled)
    {
        // Not by the constructor: this is one of them.
        foreach (var worker in services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            if (worker.ExecuteTask is { IsFaulted: true } failed)
                Stop(worker.GetType().Name, failed.Exception.GetBaseException().Message);
            else if (alsoCancelled && worker.ExecuteTask is { IsCanceled: true })
                Stop(worker.GetType().Name, "it was cancelled though nobody stopped it");
        }
    }

    [LoggerMessage(1, LogLevel.Critical, "{Who} cannot go on, so the service ends with exit code 1: {Reason}")]
    private partial void CannotGoOn(string who, string reason);
}
