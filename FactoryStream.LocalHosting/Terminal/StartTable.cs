using System.Text;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.LocalHosting.Terminal;

/// <summary>Says what runs and where, once everything does or it is clear what does not.</summary>
internal sealed class StartTable(ResourceNotificationService notifications, DataFolder folder, ConsoleOutput output, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Resource, state, address: a line each.</summary>
    public static string Of(IEnumerable<ResourceEvent> resources)
    {
        var rows = resources.Where(known => known.Snapshot is { IsHidden: false, ResourceType: not "Parameter" }).GroupBy(known => known.Resource)
            .SelectMany(replicas => replicas.Select((known, place) => (Known: known, Name: replicas.Count() == 1 ? known.Resource.Name : $"{known.Resource.Name}-{place + 1}")))
            .Select(row => (row.Name, State: StateOf(row.Known.Snapshot), Address: string.Join("  ", row.Known.Snapshot.Urls.Select(AddressOf).Distinct())))
            .Prepend((Name: "Resource", State: "State", Address: "Address")).ToArray();
        var (name, state) = (rows.Max(row => row.Name.Length), rows.Max(row => row.State.Length));
        var table = new StringBuilder();
        foreach (var row in rows)
            table.Append("  ").Append(row.Name.PadRight(name + 2)).Append(row.State.PadRight(state + 2)).Append(row.Address).AppendLine();
        return table.ToString();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        output.Say($"FactoryStream as plain processes; data in {folder.Path}");
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, patience.Token);
        try
        {
            await foreach (var _ in notifications.WatchAsync(either.Token))
            {
                if (notifications.Present().All(known => known.Snapshot.IsHidden || IsSettled(known.Snapshot)))
                    break;
            }
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            output.Say("Not everything has come up yet:");
        }
        catch (OperationCanceledException)
        {
            return;
        }
        output.Say(Environment.NewLine + Of(notifications.Present()) + "  Ctrl-C stops everything.");
    }

    /// <summary>Pages link to what is worth a look; whoever reads the table wants the address alone.</summary>
    private static string AddressOf(UrlSnapshot url) =>
        Uri.TryCreate(url.Url, UriKind.Absolute, out var parsed) && parsed.Scheme is ("http" or "https") ? parsed.GetLeftPart(UriPartial.Authority) : url.Url;

    private static bool IsSettled(CustomResourceSnapshot snapshot) =>
        snapshot.HealthStatus == HealthStatus.Healthy || snapshot.State?.Text == KnownResourceStates.NotStarted || KnownResourceStates.TerminalStates.Contains(snapshot.State?.Text);

    private static string StateOf(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text == KnownResourceStates.Running && snapshot.HealthStatus != HealthStatus.Healthy ? "Running (Unhealthy)"
        : snapshot.State?.Text == KnownResourceStates.Waiting && snapshot.Properties.FirstOrDefault(property => property.Name == "resource.waitingFor")?.Value is string[] others ? $"Waiting for {string.Join(", ", others)}"
        : snapshot.State?.Text ?? "Unknown";
}
