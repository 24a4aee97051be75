using Aspire.Hosting;
using FactoryStream.LocalHosting.AspireDashboard;
using FactoryStream.LocalHosting.AspireDashboard.Protocol;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Resource = FactoryStream.LocalHosting.AspireDashboard.Protocol.Resource;

namespace FactoryStream.Tests.LocalHosting.AspireDashboard;

public sealed class ResourceServiceTests
{
    [Fact]
    public async Task Resources_are_told_at_once_and_then_their_changes()
    {
        await using var running = await Running.StartAsync(builder =>
        {
            builder.AddParameter("token", "hidden", secret: true);
            builder.AddScript("sleeper", "sleep 600").WithExplicitStart();
        });
        using var client = await Client.ConnectAsync(running);
        using var watch = client.Service.WatchResources(new WatchResourcesRequest(), client.Headers, client.Deadline);

        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        var initial = watch.ResponseStream.Current.InitialData.Resources;
        Assert.Equal(["sleeper", "token"], initial.Select(resource => resource.DisplayName).Order());
        Assert.True(initial.Single(resource => resource.Name == "token").Properties.Single(property => property.Name == "Value").IsSensitive);
        var sleeper = initial.Single(resource => resource.DisplayName == "sleeper");
        Assert.Equal("NotStarted", sleeper.State);

        var started = await client.Service.ExecuteResourceCommandAsync(new ResourceCommandRequest { ResourceName = sleeper.Name, CommandName = "start" }, client.Headers, client.Deadline);
        Assert.Equal(ResourceCommandResponseKind.Succeeded, started.Kind);
        var runs = await UntilAsync(watch, resource => resource.Name == sleeper.Name && resource.State == "Running");
        Assert.Equal(await running.ProcessOfAsync("sleeper"), (int)runs.Properties.Single(property => property.Name == "executable.pid").Value.NumberValue);

        await client.Service.ExecuteResourceCommandAsync(new ResourceCommandRequest { ResourceName = sleeper.Name, CommandName = "stop" }, client.Headers, client.Deadline);
        var ended = await UntilAsync(watch, resource => resource.Name == sleeper.Name && resource.State == "Exited");
        Assert.NotNull(ended.StoppedAt);
    }

    [Fact]
    public async Task A_console_is_told_from_its_beginning_and_on()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "go");
        await using var running = await Running.StartAsync(builder => builder.AddScript("talker", $"echo one; echo two >&2; while [ ! -e {file} ]; do sleep 0.05; done; echo three; sleep 600"));
        await running.LineAsync("talker", "two");
        using var client = await Client.ConnectAsync(running);
        Assert.True(running.App.ResourceNotifications.TryGetCurrentState("talker", out var talker));
        using var watch = client.Service.WatchResourceConsoleLogs(new WatchResourceConsoleLogsRequest { ResourceName = talker.ResourceId }, client.Headers, client.Deadline);

        var lines = new List<ConsoleLogLine>();
        while (lines.Count < 3 && await watch.ResponseStream.MoveNext(CancellationToken.None))
        {
            lines.AddRange(watch.ResponseStream.Current.LogLines);
            if (lines.Count == 2)
                await File.WriteAllTextAsync(file, "");
        }

        Assert.Equal([1, 2, 3], lines.Select(line => line.LineNumber));
        Assert.All(lines, line => Assert.True(DateTimeOffset.TryParse(line.Text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture, out _), line.Text));
        Assert.Equal([("one", false), ("three", false), ("two", true)], lines.Select(line => (line.Text.Split(' ')[1], line.IsStdErr)).Order());
    }

    [Fact]
    public async Task History_alone_ends_with_it()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("talker", "echo one; sleep 600"));
        await running.LineAsync("talker", "one");
        using var client = await Client.ConnectAsync(running);
        Assert.True(running.App.ResourceNotifications.TryGetCurrentState("talker", out var talker));
        using var watch = client.Service.WatchResourceConsoleLogs(new WatchResourceConsoleLogsRequest { ResourceName = talker.ResourceId, SuppressFollow = true }, client.Headers, client.Deadline);

        var lines = new List<string>();
        while (await watch.ResponseStream.MoveNext(CancellationToken.None))
            lines.AddRange(watch.ResponseStream.Current.LogLines.Select(line => line.Text));

        Assert.EndsWith(" one", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_fails_says_why()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "sleep 600").WithCommand("fail", "Fail", _ => throw new InvalidOperationException("no")));
        using var client = await Client.ConnectAsync(running);
        Assert.True(running.App.ResourceNotifications.TryGetCurrentState("sleeper", out var sleeper));

        var failed = await client.Service.ExecuteResourceCommandAsync(new ResourceCommandRequest { ResourceName = sleeper.ResourceId, CommandName = "fail" }, client.Headers, client.Deadline);
        var unknown = await client.Service.ExecuteResourceCommandAsync(new ResourceCommandRequest { ResourceName = sleeper.ResourceId, CommandName = "none" }, client.Headers, client.Deadline);

        Assert.Equal((ResourceCommandResponseKind.Failed, "no"), (failed.Kind, failed.Message));
        Assert.Equal(ResourceCommandResponseKind.Failed, unknown.Kind);
    }

    [Fact]
    public async Task Who_has_not_the_key_learns_nothing()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "sleep 600"));
        using var client = await Client.ConnectAsync(running);

        foreach (var headers in (Metadata[])[[], new Metadata { { "x-resource-service-api-key", "guess" } }])
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.Service.GetApplicationInformationAsync(new ApplicationInformationRequest(), headers, client.Deadline));
            Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        }
        Assert.NotEmpty((await client.Service.GetApplicationInformationAsync(new ApplicationInformationRequest(), client.Headers, client.Deadline)).ApplicationName);
    }

    [Fact]
    public async Task No_watch_ends_well_when_the_AppHost_goes()
    {
        var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "sleep 600"));
        using var client = await Client.ConnectAsync(running);
        using var questions = client.Service.WatchInteractions(client.Headers, client.Deadline);
        await questions.ResponseHeadersAsync;
        using var watch = client.Service.WatchResources(new WatchResourcesRequest(), client.Headers, client.Deadline);
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));

        await running.DisposeAsync();

        foreach (var next in (Func<Task<bool>>[])[() => questions.ResponseStream.MoveNext(CancellationToken.None), () => watch.ResponseStream.MoveNext(CancellationToken.None)])
        {
            var ended = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (await next())
                {
                    // The last states of the resources.
                }
            });
            // Internal: the connection was closed before the client read the status. What matters is that it is no good end.
            Assert.True(ended.StatusCode is StatusCode.Unavailable or StatusCode.Internal, ended.ToString());
        }
    }

    private static async Task<Resource> UntilAsync(AsyncServerStreamingCall<WatchResourcesUpdate> watch, Predicate<Resource> wanted)
    {
        while (await watch.ResponseStream.MoveNext(CancellationToken.None))
        {
            foreach (var change in watch.ResponseStream.Current.Changes.Value)
            {
                if (wanted(change.Upsert))
                    return change.Upsert;
            }
        }
        throw new InvalidOperationException("the watch ended");
    }

    private sealed class Client(GrpcChannel channel, string key) : IDisposable
    {
        public DashboardService.DashboardServiceClient Service { get; } = new(channel);

        public Metadata Headers { get; } = new() { { "x-resource-service-api-key", key } };

        public DateTime Deadline { get; } = TimeProvider.System.GetUtcNow().UtcDateTime + Running.Patience;

        public static async Task<Client> ConnectAsync(Running running)
        {
            var host = running.App.Services.GetRequiredService<ResourceServiceHost>();
            return new Client(GrpcChannel.ForAddress(await host.AddressAsync(CancellationToken.None)), host.ApiKey);
        }

        public void Dispose() => channel.Dispose();
    }
}
