using Microsoft.Extensions.Hosting;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// Ends every process in an order in which nothing that was promised is lost, before Aspire would end all of them at once: those that wait
/// for most first, and whoever has to finish what others gave it (<see cref="KafkaDrain"/>) when it has.
/// </summary>
internal sealed class OrderlyStop(
    Instances instances,
    DistributedApplicationModel model,
    IConfiguration configuration,
    AppHostSettings settings,
    ResourceLoggerService loggers,
    TimeProvider clock
) : IHostedService
{
    /// <summary>How long a process may take to end before it is killed.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var drain = await DrainAsync(cancellationToken);
        foreach (var resource in instances.DependentsFirst())
        {
            var running = instances.Running(resource);
            if (running.Any(instance => instance.IsReady) && drain is not null)
                await drain.WaitAsync(
                    resource.Name,
                    line => SupervisionLog.Draining(loggers.GetLogger(running[0].Id), line),
                    cancellationToken
                );
            await Task.WhenAll(running.Select(EndAsync));
        }
    }

    private async Task<KafkaDrain?> DrainAsync(CancellationToken cancellationToken)
    {
        // A Kafka of the user's own keeps what it has, and others may still fill it.
        if (
            model.Resources.FirstOrDefault(resource => resource is KafkaProcessResource or KafkaServerResource)
            is not IResourceWithConnectionString kafka
        )
            return null;
        if (kafka is KafkaProcessResource process && instances.Running(process).Count == 0)
            return null;
        return await kafka.GetConnectionStringAsync(cancellationToken) is { } connectionString
            ? new KafkaDrain(settings.Kafka(connectionString), configuration.GetSection(kafka.Name), clock)
            : null;
    }

    private async Task EndAsync(Instance instance)
    {
        var startedAt = Processes.StartTimeOf(instance.Pid);
        if (startedAt is null)
            return;
        _ = Native.Kill(instance.Pid, Native.SigTerm);
        var asked = clock.GetTimestamp();
        while (Processes.StartTimeOf(instance.Pid) == startedAt)
        {
            if (clock.GetElapsedTime(asked) > Grace)
            {
                SupervisionLog.Killed(loggers.GetLogger(instance.Id), Grace.TotalSeconds);
                _ = Native.Kill(instance.Pid, Native.SigKill);
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, CancellationToken.None);
        }
    }
}
