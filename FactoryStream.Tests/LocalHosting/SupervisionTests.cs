using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Supervision;

namespace FactoryStream.Tests.LocalHosting;

public sealed class SupervisionTests
{
    [Fact]
    public async Task A_killed_process_is_started_again_and_says_so()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "sleep 600"));
        var first = await running.ProcessOfAsync("sleeper");

        Kill(first);

        Assert.NotEqual(first, await running.ProcessOfAsync("sleeper", before: first));
        await running.LineAsync("sleeper", "It was ended by signal 9 and is started again in 0.1 s.");
    }

    [Fact]
    public async Task A_process_that_ends_well_is_finished()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("job", "echo done"));

        var finished = await running.UntilAsync("job", KnownResourceStates.Finished);

        Assert.Equal(0, finished.Snapshot.ExitCode);
        Assert.Equal("done", await running.LineAsync("job", "done"));
    }

    [Theory]
    [InlineData("project")]
    [InlineData("server")]
    [InlineData("program-that-listens")]
    public async Task A_service_that_ends_unasked_is_started_again_even_with_exit_code_0(string kind)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "ended-before");
        var script = $"if [ -e {file} ]; then exec sleep 600; fi; touch {file}";
        await using var running = await Running.StartAsync(builder =>
        {
            if (kind == "program-that-listens")
                builder.AddScript("service", script).WithHttpEndpoint();
            else
            {
                IResource service = kind == "project" ? new ProjectResource("service") : new ContainerResource("service");
                builder.AddResource(service).WithAnnotation(Launch("service", script));
            }
        });

        await running.LineAsync("service", "It ended with exit code 0 and is started again in 0.1 s.");
        Assert.NotNull(StateOf(await running.ProcessOfAsync("service")));
    }

    [Fact]
    public async Task A_project_that_others_wait_for_to_complete_is_finished_when_it_ends_well()
    {
        await using var running = await Running.StartAsync(builder =>
        {
            var job = builder.AddResource(new ProjectResource("job")).WithAnnotation(Launch("job", "exit 0"));
            builder.AddScript("reader", "sleep 600").WaitForCompletion(job);
        });

        await running.UntilAsync("job", KnownResourceStates.Finished);
        await running.ProcessOfAsync("reader");
    }

    private static LaunchAnnotation Launch(string type, string script) => new(type, (context, _) => Task.FromResult(new LaunchPlan
    {
        Process = new ProcessSpec("/bin/sh", ["-c", script], ProgramLaunch.InheritedEnvironment(context), "/"),
    }));

    [Fact]
    public async Task What_waits_for_a_completion_starts_after_it()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "made");
        await using var running = await Running.StartAsync(builder =>
        {
            var job = builder.AddScript("job", $"sleep 0.3; echo made > {file}");
            builder.AddScript("reader", $"cat {file}").WaitForCompletion(job);
        });

        Assert.Equal("made", await running.LineAsync("reader", "made"));
    }

    [Fact]
    public async Task What_waits_for_a_job_that_fails_for_good_never_starts()
    {
        await using var running = await Running.StartAsync(builder =>
        {
            var job = builder.AddScript("job", "exit 3");
            builder.AddScript("reader", "sleep 600").WaitForCompletion(job);
        });

        var failed = await running.UntilAsync("job", KnownResourceStates.Exited);

        Assert.Equal(3, failed.Snapshot.ExitCode);
        await running.LineAsync("reader", "It waits for job, which is Exited with exit code 3.");
        await running.UntilAsync("reader", KnownResourceStates.Waiting);
    }

    [Fact]
    public async Task A_stopped_process_stays_stopped_until_it_is_started()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "trap 'echo asked; exit 0' TERM; echo listening; while :; do sleep 0.05; done"));
        var first = await running.ProcessOfAsync("sleeper");
        await running.LineAsync("sleeper", "listening");

        Assert.True((await running.CommandAsync("sleeper", KnownResourceCommands.StopCommand)).Success);
        Assert.Null(StateOf(first));
        await running.LineAsync("sleeper", "asked");
        Assert.True(running.App.ResourceNotifications.TryGetCurrentState("sleeper", out var stopped));
        Assert.Equal(KnownResourceStates.Exited, stopped.Snapshot.State?.Text);
        Assert.Equal(0, stopped.Snapshot.ExitCode);
        Assert.False((await running.CommandAsync("sleeper", KnownResourceCommands.StopCommand)).Success);

        Assert.True((await running.CommandAsync("sleeper", KnownResourceCommands.StartCommand)).Success);
        await running.ProcessOfAsync("sleeper", before: first);
    }

    [Fact]
    public async Task What_a_process_forked_away_goes_with_it()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "pid");
        await using var running = await Running.StartAsync(builder => builder.AddScript("forker", $"setsid sh -c 'echo $$ > {file}; exec sleep 600' & sleep 600"));
        await running.ProcessOfAsync("forker");
        var forked = await PidInAsync(file);

        await running.CommandAsync("forker", KnownResourceCommands.StopCommand);

        Assert.Null(StateOf(forked));
    }

    [Fact]
    public async Task An_application_ends_nothing_of_another_that_has_resources_of_the_same_names()
    {
        void Describe(IDistributedApplicationBuilder builder)
        {
            // A server that exists once goes by its plain name, in every application.
            builder.AddResource(new ContainerResource("server")).WithAnnotation(Server("server"));
            builder.AddResource(new ContainerResource("server-2")).WithAnnotation(Server("server-2"));
        }

        await using var stays = await Running.StartAsync(Describe);
        var (server, second) = (await stays.ProcessOfAsync("server"), await stays.ProcessOfAsync("server-2"));
        await using (var goes = await Running.StartAsync(Describe))
        {
            await goes.ProcessOfAsync("server");
            await goes.CommandAsync("server", KnownResourceCommands.StopCommand);
        }
        await stays.CommandAsync("server", KnownResourceCommands.StopCommand);

        Assert.Null(StateOf(server));
        Assert.NotNull(StateOf(second));
        Assert.Equal(second, await stays.ProcessOfAsync("server-2"));

        static LaunchAnnotation Server(string name) => new(name, (context, _) => Task.FromResult(new LaunchPlan
        {
            Process = new ProcessSpec("/bin/sh", ["-c", "sleep 600"], ProgramLaunch.InheritedEnvironment(context), "/"),
        }));
    }

    [Fact]
    public async Task A_resource_with_explicit_start_waits_for_the_command()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("later", "sleep 600").WithExplicitStart());
        await running.UntilAsync("later", KnownResourceStates.NotStarted);

        await running.CommandAsync("later", KnownResourceCommands.StartCommand);

        await running.ProcessOfAsync("later");
    }

    [Fact]
    public async Task A_command_of_its_own_is_done_and_its_failure_told()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "sleep 600")
            .WithCommand("greet", "Greet", context => Task.FromResult(CommandResults.Success($"hello {context.ResourceName.Split('-')[0]}")))
            .WithCommand("fail", "Fail", _ => throw new InvalidOperationException("no")));

        Assert.Equal("hello sleeper", (await running.CommandAsync("sleeper", "greet")).Message);
        var failed = await running.CommandAsync("sleeper", "fail");
        Assert.Equal((false, "no"), (failed.Success, failed.Message));
    }

    [Fact]
    public async Task What_cannot_be_started_says_why_and_leaves_the_others_alone()
    {
        await using var running = await Running.StartAsync(builder =>
        {
            builder.AddExecutable("missing", "/no/such/program", "/");
            builder.AddScript("sleeper", "sleep 600");
        });

        await running.UntilAsync("missing", KnownResourceStates.FailedToStart);
        await running.LineAsync("missing", "/no/such/program is not there.");
        await running.ProcessOfAsync("sleeper");
    }

    [Fact]
    public async Task Those_that_wait_for_others_are_stopped_before_them()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "order");
        string Script(string name) => $"trap 'echo {name} >> {file}; exit 0' TERM; while :; do sleep 0.05; done";
        var running = await Running.StartAsync(builder =>
        {
            var server = builder.AddScript("server", Script("server"));
            var first = builder.AddScript("first", Script("first")).WaitFor(server);
            builder.AddScript("second", Script("second")).WaitFor(server);
            builder.AddScript("client", Script("client")).WaitFor(first);
        });
        foreach (var name in (string[])["server", "first", "second", "client"])
            await running.ProcessOfAsync(name);
        // A shell needs a moment until its trap is set.
        await Task.Delay(300, CancellationToken.None);

        await running.DisposeAsync();

        Assert.Equal(["client", "first", "second", "server"], await File.ReadAllLinesAsync(file));
    }

    internal static void Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }

    /// <summary>Null: there is no such process, or it is a zombie.</summary>
    internal static char? StateOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var state = stat[stat.LastIndexOf(')') + 2];
            return state is 'Z' or 'X' ? null : state;
        }
        catch (IOException)
        {
            return null;
        }
    }

    internal static async Task<int> PidInAsync(string file)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (File.Exists(file) && int.TryParse(await File.ReadAllTextAsync(file), CultureInfo.InvariantCulture, out var pid))
                return pid;
            Assert.True(watch.Elapsed < Running.Patience, $"{file} was never written");
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
