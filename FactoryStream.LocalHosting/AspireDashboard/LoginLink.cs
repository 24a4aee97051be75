using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Terminal;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.LocalHosting.AspireDashboard;

/// <summary>Says where the dashboard is as soon as it answers, in Aspire's own words: tools look for them. It stays the same when the dashboard is restarted.</summary>
internal sealed class LoginLink(DashboardResource dashboard, ResourceNotificationService notifications, ConsoleOutput output) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await notifications.WaitForResourceAsync(dashboard.Name, change => change.Snapshot.HealthStatus == HealthStatus.Healthy, stoppingToken);
            output.Say($"Login to the dashboard at {dashboard.LoginLink}");
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // It never came: why was said.
        }
    }
}
