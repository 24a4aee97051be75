using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.AppHost.Hosting;

namespace FactoryStream.Tests.AppHost;

/// <summary>What is started again, what stays stopped, and in which order all of it ends.</summary>
public sealed class SupervisionTests
{
    [Fact]
    public async Task A_killed_process_is_started_again_and_a_stopped_one_stays_stopped_until_it_is_started()
    {
        await using var running = await Running.StartAsync(builder => builder.AddScript("sleeper", "exec sleep 600"));
        var first = await running.ProcessOfAsync("sleeper");

        Running.Kill(first);
        var second = await running.ProcessOfAsync("sleeper", before: first);
        await running.LineAsync("sleeper", "and is started again in 0.1 s.");

        await running.CommandAsync("sleeper", KnownResourceCommands.StopCommand);
        await running.UntilAsync("sleeper", snapshot => KnownResourceStates.TerminalStates.Contains(snapshot.State?.Text));
        await running.LineAsync("sleeper", "It was stopped by a command and stays so.");
        Assert.Null(Processes.StartTimeOf(second));

        await running.CommandAsync("sleeper", KnownResourceCommands.StartCommand);
        await running.ProcessOfAsync("sleeper", before: second);
    }

    [Fact]
    public async Task A_program_that_ends_unasked_is_started_again_even_with_exit_code_0_and_a_job_is_done()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "ended-before");
        await using var running = await Running.StartAsync(builder =>
        {
            var job = builder.AddScript("job", "exit 0");
            builder.AddScript("service", $"if [ -e {file} ]; then exec sleep 600; fi; touch {file}").WaitForCompletion(job);
        });

        await running.LineAsync("service", "It ended with exit code 0 and is started again in 0.1 s.");
        Assert.NotNull(Processes.StartTimeOf(await running.ProcessOfAsync("service")));
        var job = await running.UntilAsync("job", _ => true);
        Assert.Equal((KnownResourceStates.Finished, 0), (job.Snapshot.State?.Text, job.Snapshot.ExitCode));
    }

    [Fact]
    public async Task Those_that_wait_for_others_are_stopped_before_them()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "order");
        string Script(string name) => $"trap 'echo {name} >> {file}; exit 0' TERM; echo listening; while :; do sleep 0.05; done";
        string[] names = ["server", "first", "second", "client"];
        await using (
            var running = await Running.StartAsync(builder =>
            {
                var server = builder.AddScript("server", Script("server"));
                var first = builder.AddScript("first", Script("first")).WaitFor(server);
                builder.AddScript("second", Script("second")).WaitFor(server);
                builder.AddScript("client", Script("client")).WaitFor(first);
            })
        )
        {
            foreach (var name in names)
                await running.LineAsync(name, "listening");
        }

        Assert.Equal(["client", "first", "second", "server"], await File.ReadAllLinesAsync(file));
    }
}
