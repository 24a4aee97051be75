using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.LocalHosting;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.LocalHosting;

public sealed class ReferenceTests
{
    [Fact]
    public async Task References_become_the_environment_that_Aspire_gives()
    {
        string[] args = ["--ConnectionStrings:kafka=broker:9092", "--Parameters:token=s3cret"];
        await using var running = await Running.StartAsync(args, builder =>
        {
            var token = builder.AddParameter("token", secret: true);
            var kafka = builder.AddKafka("kafka");
            var service = builder.AddScript("my-service", "sleep 600").WithHttpEndpoint(port: 8001);
            builder.AddScript("reader", "env; sleep 600")
                .WithReference(kafka)
                .WithReference(service)
                .WithEnvironment("TOKEN", token)
                .WithEnvironment("PLAIN", "value")
                .WithEnvironment("URL", service.GetEndpoint("http"))
                .WithHttpEndpoint(env: "PORT");
        });
        var url = running.App.GetEndpoint("my-service").GetLeftPart(UriPartial.Authority);

        var reader = await running.UntilAsync("reader", KnownResourceStates.Running);

        Assert.Equal(
            new Dictionary<string, string?>
            {
                ["ConnectionStrings__kafka"] = "broker:9092",
                ["services__my-service__http__0"] = url,
                ["MY_SERVICE_HTTP"] = url,
                ["TOKEN"] = "s3cret",
                ["PLAIN"] = "value",
                ["URL"] = url,
                ["PORT"] = running.App.GetEndpoint("reader").Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
            reader.Snapshot.EnvironmentVariables.ToDictionary(variable => variable.Name, variable => variable.Value));
        await running.LineAsync("reader", $"MY_SERVICE_HTTP={url}");
        Assert.NotEqual(8001, new Uri(url).Port);
        Assert.Equal(["kafka:Reference", "my-service:Reference"], reader.Snapshot.Relationships.Select(edge => $"{edge.ResourceName}:{edge.Type}").Order());
    }

    [Fact]
    public async Task A_secret_of_the_AppHost_reaches_only_those_that_refer_to_it()
    {
        Environment.SetEnvironmentVariable("Parameters__hidden", "secret-of-the-apphost");
        try
        {
            await using var running = await Running.StartAsync(builder => builder.AddScript("reader", "env | grep -c hidden; sleep 600"));
            Assert.Equal("0", await running.LineAsync("reader", "0"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("Parameters__hidden", null);
        }
    }

    [Fact]
    public async Task A_generated_parameter_is_kept_for_its_owner_alone()
    {
        using var folder = new TemporaryFolder();
        string[] args = [$"--data={folder.Path}/data"];
        async Task<string> ValueAsync()
        {
            IResourceBuilder<ParameterResource>? token = null;
            await using var running = await Running.StartAsync(args, builder => token = builder.AddParameter("token", new GenerateParameterDefault { MinLength = 32 }, secret: true, persist: true));
            return (await token!.Resource.GetValueAsync())!;
        }

        var first = await ValueAsync();

        Assert.Equal(32, first.Length);
        Assert.Equal(first, await ValueAsync());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{folder.Path}/data/secrets/token"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode($"{folder.Path}/data/secrets"));
    }

    [Fact]
    public async Task A_parameter_without_a_value_stops_those_that_need_it_and_says_how_to_give_it()
    {
        await using var running = await Running.StartAsync(builder =>
        {
            var token = builder.AddParameter("token");
            builder.AddScript("reader", "sleep 600").WithEnvironment("TOKEN", token);
        });

        await running.UntilAsync("token", KnownResourceStates.ValueMissing);
        await running.UntilAsync("reader", KnownResourceStates.FailedToStart);
        await running.LineAsync("reader", "The parameter 'token' has no value: give it by Parameters__token");
    }

    [Fact]
    public async Task A_data_folder_has_one_AppHost_at_a_time()
    {
        using var folder = new TemporaryFolder();
        string[] args = [$"--data={folder.Path}"];
        await using (await Running.StartAsync(args, _ => { }))
        {
            var refused = await Assert.ThrowsAsync<DistributedApplicationException>(() => Running.StartAsync(args, _ => { }));
            Assert.Equal($"Another AppHost (process {Environment.ProcessId}) uses the data folder {folder.Path}. Stop it first, or name another folder by --data FOLDER.", refused.Message);
        }
        await using var again = await Running.StartAsync(args, _ => { });
    }

    [Fact]
    public async Task A_test_leaves_no_data_behind()
    {
        string path;
        await using (var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "sleep 600")))
        {
            path = running.App.Services.GetRequiredService<DataFolder>().Path;
            Assert.True(Directory.Exists(path));
        }
        Assert.False(Directory.Exists(path));
    }
}
