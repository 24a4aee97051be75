using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// Aspire's start, which ends in good order when it is interrupted. Its orchestrator starts everything within its own start, and all that
/// waits for something waits there: Ctrl-C makes that start fail, and a host that failed to start stops nothing, so that
/// <see cref="OrderlyStop"/> would never come to what runs already. Whoever asked for the end gets an end, and not a failure.
/// </summary>
internal sealed class InterruptibleStart(IHostedService inner, IHostApplicationLifetime lifetime, OrchestratorWatch watch)
    : IHostedService,
        IAsyncDisposable
{
    private const string Orchestrator = "Aspire.Hosting.Orchestrator.OrchestratorHostService";

    /// <summary>Takes the place of Aspire's orchestrator among the hosted services.</summary>
    public static void Add(IServiceCollection services)
    {
        for (var place = 0; place < services.Count; place++)
        {
            if (
                services[place] is { IsKeyedService: false, ImplementationType: { FullName: Orchestrator } type } service
                && service.ServiceType == typeof(IHostedService)
            )
            {
                services[place] = ServiceDescriptor.Singleton<IHostedService>(provider => new InterruptibleStart(
                    (IHostedService)ActivatorUtilities.CreateInstance(provider, type),
                    provider.GetRequiredService<IHostApplicationLifetime>(),
                    provider.GetRequiredService<OrchestratorWatch>()
                ));
            }
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await inner.StartAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The application ends: what runs by now is stopped next.
        }
    }

    // An orchestrator that has ended would be asked for most of a minute.
    public Task StopAsync(CancellationToken cancellationToken) => watch.IsGone ? Task.CompletedTask : inner.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (inner is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }
}
