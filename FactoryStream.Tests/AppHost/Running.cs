using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.AppHost;

/// <summary>A small application under the AppHost's supervision: its own resources are taken out, and the test's put in.</summary>
internal sealed class Running : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private Running(DistributedApplication app)
    {
        App = app;
    }

    public DistributedApplication App { get; }

    /// <summary>Starts those of the AppHost's own resources that are wanted, and no others.</summary>
    public static async Task<Running> StartAsync(string[] args, Func<IResource, bool> isWanted)
    {
        using var timeout = new CancellationTokenSource(Patience);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(args, timeout.Token);
        foreach (var resource in builder.Resources.Where(resource => !isWanted(resource)).ToArray())
            builder.Resources.Remove(resource);
        return await StartAsync(builder, timeout.Token);
    }

    public static async Task<Running> StartAsync(Action<IDistributedApplicationBuilder> describe)
    {
        using var timeout = new CancellationTokenSource(Patience);
        // Servers of somebody else's: nothing of this machine is looked for.
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(
            ["--ConnectionStrings:kafka=broker.example:9092", "--ConnectionStrings:factorydb=Host=db.example", "--aspire-dashboard=false"],
            timeout.Token
        );
        foreach (var resource in builder.Resources.ToArray())
            builder.Resources.Remove(resource);
        describe(builder);
        return await StartAsync(builder, timeout.Token);
    }

    private static async Task<Running> StartAsync(IDistributedApplicationTestingBuilder builder, CancellationToken cancellation)
    {
        var app = await builder.BuildAsync(cancellation);
        try
        {
            await app.StartAsync(cancellation);
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
        var change = await UntilAsync(
            resource,
            snapshot => snapshot.State?.Text == KnownResourceStates.Running && Pid(snapshot) is { } pid && pid != before
        );
        return Pid(change.Snapshot)!.Value;
    }

    /// <summary>Waits for a line of a resource's console that contains a text.</summary>
    public async Task LineAsync(string resource, string text)
    {
        var change = await UntilAsync(resource, _ => true);
        using var timeout = new CancellationTokenSource(Patience);
        await foreach (
            var lines in App
                .Services.GetRequiredService<ResourceLoggerService>()
                .WatchAsync(change.ResourceId)
                .WithCancellation(timeout.Token)
        )
        {
            if (lines.Any(line => line.Content.Contains(text, StringComparison.Ordinal)))
                return;
        }
        Assert.Fail("the console ended");
    }

    public async Task CommandAsync(string resource, string command)
    {
        var change = await UntilAsync(resource, _ => true);
        var result = await App.ResourceCommands.ExecuteCommandAsync(change.ResourceId, command).WaitAsync(Patience);
        Assert.True(result.Success, result.Message);
    }

    public static void Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }

    private static int? Pid(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is { } pid
            ? Convert.ToInt32(pid, CultureInfo.InvariantCulture)
            : null;
}

internal static class Shell
{
    /// <summary>A process that runs a script of the shell.</summary>
    public static IResourceBuilder<ExecutableResource> AddScript(this IDistributedApplicationBuilder builder, string name, string script) =>
        builder.AddExecutable(name, "/bin/sh", "/", "-c", script);
}
