using Microsoft.Extensions.Hosting;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>Of a host that ends when someone says so, whatever signals its process gets: a test's application, a part of an AppHost.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
