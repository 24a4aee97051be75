using System.Net;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Before anything is started: the data folder is this AppHost's, and the ports that services are to have are free.</summary>
internal sealed class Ownership(DataFolder folder, Ports ports, AppHostSettings settings, DistributedApplicationModel model)
    : IDistributedApplicationEventingSubscriber
{
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing,
        DistributedApplicationExecutionContext executionContext,
        CancellationToken cancellationToken
    )
    {
        eventing.Subscribe<BeforeStartEvent>(
            (_, _) =>
            {
                folder.Take();
                // Made here, so that it ends with the application.
                _ = ports;
                if (!settings.RandomizePorts)
                    MustBeFree();
                return Task.CompletedTask;
            }
        );
        return Task.CompletedTask;
    }

    private void MustBeFree()
    {
        foreach (var project in model.Resources.OfType<ProjectResource>())
        {
            foreach (var endpoint in project.Annotations.OfType<EndpointAnnotation>())
            {
                if (
                    endpoint.Port is not { } port
                    || !Ports.IsTaken(port, IPAddress.TryParse(endpoint.TargetHost, out var address) ? address : null)
                )
                    continue;
                var who = OperatingSystem.IsLinux() && Ports.ListenerOf(port) is { } listener ? $" ({listener})" : "";
                throw new DistributedApplicationException(
                    $"{project.Name}: port {port} is taken by another program{who}. Stop that, or choose another port by "
                        + $"--{project.Name}:port NUMBER."
                );
            }
        }
    }
}
