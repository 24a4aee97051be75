using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.AspireDashboard.Protocol;
using Grpc.Core;

namespace FactoryStream.LocalHosting.AspireDashboard;

/// <summary>
/// What the Aspire dashboard is fed from: resources, console lines, commands. No watch may end well: the dashboard would call again without a pause;
/// the AppHost's own end is told as UNAVAILABLE.
/// </summary>
internal sealed class ResourceService(
    ResourceNotificationService notifications, ResourceLoggerService loggers, ResourceCommandService commands, AppHostSettings settings, ResourceServiceHost host) : DashboardService.DashboardServiceBase
{
    /// <summary>Well below the 4 MB that a message may have; a console's lines are 16 KB at the longest.</summary>
    private const int ConsoleBytesPerMessage = 256 * 1024;

    public override Task<ApplicationInformationResponse> GetApplicationInformation(ApplicationInformationRequest request, ServerCallContext context)
    {
        var folder = Path.GetFileName(Path.TrimEndingDirectorySeparator(settings.AppHostDirectory));
        return Task.FromResult(new ApplicationInformationResponse { ApplicationName = folder.EndsWith(".AppHost", StringComparison.Ordinal) ? folder[..^".AppHost".Length] : folder });
    }

    public override async Task WatchResources(WatchResourcesRequest request, IServerStreamWriter<WatchResourcesUpdate> responseStream, ServerCallContext context) =>
        await UntilEitherEndsAsync(context, async cancellationToken =>
        {
            var initial = new InitialResourceData();
            initial.Resources.Add(notifications.Present().Select(ResourceMessages.From));
            // No write is called off: that would abort the call, and the dashboard is to be told UNAVAILABLE.
            await responseStream.WriteAsync(new WatchResourcesUpdate { InitialData = initial }, CancellationToken.None);
            // It begins with the present state once more, so that nothing between the two is missed; an upsert replaces.
            await foreach (var change in notifications.WatchAsync(cancellationToken))
            {
                var changes = new WatchResourcesChanges();
                changes.Value.Add(new WatchResourcesChange { Upsert = ResourceMessages.From(change) });
                await responseStream.WriteAsync(new WatchResourcesUpdate { Changes = changes }, CancellationToken.None);
            }
        });

    public override async Task WatchResourceConsoleLogs(WatchResourceConsoleLogsRequest request, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream, ServerCallContext context)
    {
        if (request.SuppressFollow)
        {
            await foreach (var lines in loggers.GetAllAsync(request.ResourceName).WithCancellation(context.CancellationToken))
                await WriteAsync(lines);
            return;
        }
        await UntilEitherEndsAsync(context, async cancellationToken =>
        {
            await foreach (var lines in loggers.WatchAsync(request.ResourceName).WithCancellation(cancellationToken))
                await WriteAsync(lines);
        });

        async Task WriteAsync(IReadOnlyList<LogLine> lines)
        {
            var update = new WatchResourceConsoleLogsUpdate();
            var size = 0;
            foreach (var line in lines)
            {
                if (size > ConsoleBytesPerMessage)
                {
                    await responseStream.WriteAsync(update, CancellationToken.None);
                    (update, size) = (new WatchResourceConsoleLogsUpdate(), 0);
                }
                update.LogLines.Add(ResourceMessages.From(line));
                size += line.Content.Length;
            }
            await responseStream.WriteAsync(update, CancellationToken.None);
        }
    }

    /// <summary>A command that was begun is brought to its end, even if the page that gave it is closed: half a restart would leave a service down.</summary>
    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(ResourceCommandRequest request, ServerCallContext context) =>
        ResourceMessages.From(await commands.ExecuteCommandAsync(request.ResourceName, request.CommandName, host.Stopping));

    /// <summary>This AppHost has no questions; but the dashboard must be able to listen for them.</summary>
    public override async Task WatchInteractions(
        IAsyncStreamReader<WatchInteractionsRequestUpdate> requestStream, IServerStreamWriter<WatchInteractionsResponseUpdate> responseStream, ServerCallContext context) =>
        await UntilEitherEndsAsync(context, async cancellationToken =>
        {
            await context.WriteResponseHeadersAsync([]);
            // Not a word is read: a read that is called off aborts the call.
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });

    private async Task UntilEitherEndsAsync(ServerCallContext context, Func<CancellationToken, Task> work)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.Stopping);
        try
        {
            await work(either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The dashboard went, or the AppHost goes.
        }
        catch (InvalidOperationException) when (context.CancellationToken.IsCancellationRequested)
        {
            // Its stream was closed while a message was being written.
        }
        throw new RpcException(new Status(StatusCode.Unavailable, "The AppHost is stopping."));
    }
}
