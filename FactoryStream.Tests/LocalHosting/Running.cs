using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.LocalHosting;

/// <summary>A small application of real processes, started; and what tests ask it.</summary>
internal sealed class Running : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private Running(DistributedApplication app)
    {
        App = app;
    }

    public DistributedApplication App { get; }

    public static Task<Running> StartAsync(Action<IDistributedApplicationBuilder> describe) => StartAsync([], describe);

    public static async Task<Running> StartAsync(string[] args, Action<IDistributedApplicationBuilder> describe)
    {
        await using var builder = DistributedApplicationTestingBuilder.Create(args);
        describe(builder);
        var app = await builder.BuildAsync();
        try
        {
            await app.StartAsync().WaitAsync(Patience);
            return new Running(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => App.DisposeAsync();

    public async Task<ResourceEvent> UntilAsync(string resource, Func<CustomResourceSnapshot, bool> condition)
    {
        using var timeout = new CancellationTokenSource(Patience);
        return await App.ResourceNotifications.WaitForResourceAsync(resource, change => condition(change.Snapshot), timeout.Token);
    }

    public Task<ResourceEvent> UntilAsync(string resource, string state) => UntilAsync(resource, snapshot => snapshot.State?.Text == state);

    /// <summary>The number of the process that a resource is now; waits for one other than <paramref name="before"/>.</summary>
    public async Task<int> ProcessOfAsync(string resource, int? before = null)
    {
        var change = await UntilAsync(resource, snapshot => snapshot.State?.Text == KnownResourceStates.Running && Pid(snapshot) is { } pid && pid != before);
        return Pid(change.Snapshot)!.Value;
    }

    /// <summary>Waits for a line of a resource's console that contains a text; the line.</summary>
    public async Task<string> LineAsync(string resource, string text)
    {
        Assert.True(App.ResourceNotifications.TryGetCurrentState(resource, out var state), $"there is no {resource}");
        using var timeout = new CancellationTokenSource(Patience);
        await foreach (var lines in App.Services.GetRequiredService<ResourceLoggerService>().WatchAsync(state.ResourceId).WithCancellation(timeout.Token))
        {
            foreach (var line in lines)
            {
                if (line.Content.Contains(text, StringComparison.Ordinal))
                    return line.Content[(line.Content.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            }
        }
        throw new InvalidOperationException("the console ended");
    }

    public Task<ExecuteCommandResult> CommandAsync(string resource, string command) => App.ResourceCommands.ExecuteCommandAsync(resource, command).WaitAsync(Patience);

    private static int? Pid(CustomResourceSnapshot snapshot) => snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value as int?;
}

internal static class Shell
{
    /// <summary>A process that runs a script of the shell.</summary>
    public static IResourceBuilder<ExecutableResource> AddScript(this IDistributedApplicationBuilder builder, string name, string script) =>
        builder.AddExecutable(name, "/bin/sh", "/", "-c", script);
}

internal static class ReachableFolder
{
    /// <summary>Lets others pass through: as root, PostgreSQL runs as a user who must.</summary>
    public static TemporaryFolder Reachable(this TemporaryFolder folder)
    {
        File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.OtherExecute);
        return folder;
    }
}
