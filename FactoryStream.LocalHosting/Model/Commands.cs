using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The commands that every process has.</summary>
public static class KnownResourceCommands
{
    /// <summary>Starts what is stopped.</summary>
    public static readonly string StartCommand = "start";

    /// <summary>Stops what runs; it stays stopped.</summary>
    public static readonly string StopCommand = "stop";

    /// <summary>Stops and starts.</summary>
    public static readonly string RestartCommand = "restart";
}

/// <summary>How a command went.</summary>
public sealed class ExecuteCommandResult
{
    /// <summary>Whether it was done.</summary>
    public required bool Success { get; init; }

    /// <summary>Whether it was called off.</summary>
    public bool Canceled { get; init; }

    /// <summary>What there is to say about it.</summary>
    public string? Message { get; init; }
}

/// <summary>Makes results of commands.</summary>
public static class CommandResults
{
    /// <summary>Done.</summary>
    public static ExecuteCommandResult Success() => new() { Success = true };

    /// <summary>Done, and what there is to say.</summary>
    public static ExecuteCommandResult Success(string message) => new() { Success = true, Message = message };

    /// <summary>Not done, and why.</summary>
    public static ExecuteCommandResult Failure(string? errorMessage = null) => new() { Success = false, Message = errorMessage };

    /// <summary>Not done, and why.</summary>
    public static ExecuteCommandResult Failure(Exception exception) => Failure(exception.Message);

    /// <summary>Called off.</summary>
    public static ExecuteCommandResult Canceled() => new() { Success = false, Canceled = true };
}

/// <summary>What a command may use.</summary>
public sealed class ExecuteCommandContext
{
    /// <summary>The application's services.</summary>
    public required IServiceProvider Services { get; init; }

    /// <summary>The instance the command was given to.</summary>
    public required string ResourceName { get; init; }

    /// <summary>Ends with whoever gave the command.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>Writes to the resource's console.</summary>
    public required ILogger Logger { get; init; }
}

/// <summary>What decides whether a command can be given.</summary>
public sealed class UpdateCommandStateContext
{
    /// <summary>The instance's present state.</summary>
    public required CustomResourceSnapshot ResourceSnapshot { get; init; }

    /// <summary>The application's services.</summary>
    public required IServiceProvider Services { get; init; }
}

/// <summary>How a command is shown.</summary>
public class CommandOptions
{
    /// <summary>Shown under the name.</summary>
    public string? Description { get; set; }

    /// <summary>Asked before it is done.</summary>
    public string? ConfirmationMessage { get; set; }

    /// <summary>A Fluent icon's name.</summary>
    public string? IconName { get; set; }

    /// <summary>How the icon is drawn.</summary>
    public IconVariant? IconVariant { get; set; }

    /// <summary>Whether it is a button of its own.</summary>
    public bool IsHighlighted { get; set; }

    /// <summary>Whether it can be given; always, if not said.</summary>
    public Func<UpdateCommandStateContext, ResourceCommandState>? UpdateState { get; set; }
}

/// <summary>How a command that is a request to the resource is shown and made.</summary>
public class HttpCommandOptions : CommandOptions
{
    /// <summary>POST, if not said.</summary>
    public HttpMethod? Method { get; set; }

    /// <summary>Adds to the request.</summary>
    public Func<HttpCommandRequestContext, Task>? PrepareRequest { get; set; }

    /// <summary>Reads the answer; any status of success is one, if not said.</summary>
    public Func<HttpCommandResultContext, Task<ExecuteCommandResult>>? GetCommandResult { get; set; }
}

/// <summary>A command's request in the making.</summary>
public sealed class HttpCommandRequestContext
{
    /// <summary>The application's services.</summary>
    public required IServiceProvider Services { get; init; }

    /// <summary>The instance the command was given to.</summary>
    public required string ResourceName { get; init; }

    /// <summary>Where it goes.</summary>
    public required EndpointReference Endpoint { get; init; }

    /// <summary>Ends with whoever gave the command.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>Who sends it.</summary>
    public required HttpClient HttpClient { get; init; }

    /// <summary>The request.</summary>
    public required HttpRequestMessage Request { get; init; }
}

/// <summary>A command's answer.</summary>
public sealed class HttpCommandResultContext
{
    /// <summary>The application's services.</summary>
    public required IServiceProvider Services { get; init; }

    /// <summary>The instance the command was given to.</summary>
    public required string ResourceName { get; init; }

    /// <summary>Where it went.</summary>
    public required EndpointReference Endpoint { get; init; }

    /// <summary>Ends with whoever gave the command.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>Who sent it.</summary>
    public required HttpClient HttpClient { get; init; }

    /// <summary>The answer.</summary>
    public required HttpResponseMessage Response { get; init; }
}

/// <summary>A command of a resource.</summary>
public sealed class ResourceCommandAnnotation(
    string name, string displayName, Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand, CommandOptions options) : IResourceAnnotation
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>What pages call it.</summary>
    public string DisplayName { get; } = displayName;

    /// <summary>What it does.</summary>
    public Func<ExecuteCommandContext, Task<ExecuteCommandResult>> ExecuteCommand { get; } = executeCommand;

    /// <summary>How it is shown, and when.</summary>
    internal CommandOptions Options { get; } = options;

    internal ResourceCommandSnapshot Snapshot(CustomResourceSnapshot resource, IServiceProvider services) => new(
        Name,
        Options.UpdateState?.Invoke(new UpdateCommandStateContext { ResourceSnapshot = resource, Services = services }) ?? ResourceCommandState.Enabled,
        DisplayName, Options.Description, Options.ConfirmationMessage, Options.IconName, Options.IconVariant, Options.IsHighlighted);
}

/// <summary>Gives commands to resources.</summary>
public sealed class ResourceCommandService
{
    private readonly ResourceNotificationService notifications;
    private readonly ResourceLoggerService loggers;
    private readonly IServiceProvider services;

    internal ResourceCommandService(ResourceNotificationService notifications, ResourceLoggerService loggers, IServiceProvider services)
    {
        this.notifications = notifications;
        this.loggers = loggers;
        this.services = services;
    }

    /// <summary>Gives a command to every instance of a resource.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(IResource resource, string commandName, CancellationToken cancellationToken = default)
    {
        var results = await Task.WhenAll(notifications.InstancesOf(resource).Select(id => ExecuteCommandAsync(id, commandName, cancellationToken)));
        if (results.Length == 0)
            return CommandResults.Failure($"'{resource.Name}' has no instance.");
        if (results.Length == 1 || Array.TrueForAll(results, result => result.Success))
            return results[0];
        return results.FirstOrDefault(result => result is { Success: false, Canceled: false }) ?? CommandResults.Canceled();
    }

    /// <summary>Gives a command to one instance, by its id or by the name of its resource if that has but one.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        if (!notifications.TryGetCurrentState(resourceId, out var current))
            return CommandResults.Failure($"There is no resource '{resourceId}'.");
        var command = current.Resource.Annotations.OfType<ResourceCommandAnnotation>().FirstOrDefault(command => command.Name == commandName);
        if (command is null)
            return CommandResults.Failure($"'{resourceId}' has no command '{commandName}'.");
        if (command.Snapshot(current.Snapshot, services).State != ResourceCommandState.Enabled)
            return CommandResults.Failure($"'{commandName}' cannot be given to '{resourceId}' while it is {current.Snapshot.State?.Text ?? "unknown"}.");
        var logger = loggers.GetLogger(current.ResourceId);
        try
        {
            return await command.ExecuteCommand(new ExecuteCommandContext
            {
                Services = services, ResourceName = current.ResourceId, CancellationToken = cancellationToken, Logger = logger,
            });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return CommandResults.Canceled();
        }
        catch (Exception exception)
        {
            logger.LogError(exception, "The command {Command} failed.", commandName);
            return CommandResults.Failure(exception);
        }
    }
}
