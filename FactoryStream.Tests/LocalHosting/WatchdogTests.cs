using System.Diagnostics;
using System.Globalization;
using FactoryStream.LocalHosting.Supervision;

namespace FactoryStream.Tests.LocalHosting;

public sealed class WatchdogTests
{
    [Fact]
    public async Task It_ends_what_is_marked_however_far_it_forked_and_nobody_else()
    {
        using var folder = new TemporaryFolder();
        var run = Guid.NewGuid().ToString("N");
        var direct = Start(run, "exec sleep 600");
        var stubborn = Start(run, "trap '' TERM INT; while :; do sleep 0.1; done");
        var forker = Start(run, $"setsid sh -c '(echo $$ > {folder.Path}/forked; exec sleep 600) &' & exec sleep 600");
        var stranger = Start("another-run", "exec sleep 600");
        var forked = await SupervisionTests.PidInAsync($"{folder.Path}/forked");
        var temporary = Directory.CreateDirectory(Path.Combine(folder.Path, "data")).FullName;

        var watchdog = Watchdog.Start(run, "", temporary);
        Assert.NotNull(SupervisionTests.StateOf(watchdog.ProcessId));
        Assert.NotNull(SupervisionTests.StateOf(direct.Id));
        // The other end of its pipe is closed, as the kernel closes it when the AppHost dies.
        watchdog.Dispose();

        await UntilAsync(() => SupervisionTests.StateOf(watchdog.ProcessId) is null);
        Assert.All([direct.Id, stubborn.Id, forker.Id, forked], pid => Assert.Null(SupervisionTests.StateOf(pid)));
        Assert.Equal(128 + 15, await direct.Exited.WaitAsync(Running.Patience));
        Assert.Equal(128 + 9, await stubborn.Exited.WaitAsync(Running.Patience));
        Assert.False(Directory.Exists(temporary));
        Assert.NotNull(SupervisionTests.StateOf(stranger.Id));
        stranger.Signal(9);
    }

    [Fact]
    public async Task A_process_in_the_register_is_asked_by_its_own_signal()
    {
        using var folder = new TemporaryFolder();
        var run = Guid.NewGuid().ToString("N");
        // Without the mark, as a process of another user looks to a watchdog that may not read its environment.
        var server = ChildProcess.Start(Spec("unmarked", $"trap 'echo interrupted > {folder.Path}/how; exit 0' INT; echo $$ > {folder.Path}/pid; while :; do sleep 0.05; done"), (_, _) => { });
        await SupervisionTests.PidInAsync($"{folder.Path}/pid");
        var register = Path.Combine(folder.Path, "processes");
        await File.WriteAllTextAsync(register, string.Create(CultureInfo.InvariantCulture, $"{server.Id} {ChildProcess.StartTimeOf(server.Id)} 2\n"));

        await Watchdog.SweepAsync(Watchdog.RunVariable, run, register);

        Assert.Equal(0, await server.Exited.WaitAsync(Running.Patience));
        Assert.Equal("interrupted\n", await File.ReadAllTextAsync($"{folder.Path}/how"));
    }

    [Fact]
    public async Task A_number_that_another_process_has_now_is_left_alone()
    {
        using var folder = new TemporaryFolder();
        var innocent = Start("another-run", "exec sleep 600");
        var register = Path.Combine(folder.Path, "processes");
        await File.WriteAllTextAsync(register, string.Create(CultureInfo.InvariantCulture, $"{innocent.Id} 1 15\n"));

        await Watchdog.SweepAsync(Watchdog.RunVariable, Guid.NewGuid().ToString("N"), register);

        Assert.NotNull(SupervisionTests.StateOf(innocent.Id));
        innocent.Signal(9);
    }

    [Fact]
    public async Task A_killed_watchdog_is_replaced()
    {
        var watchdog = Watchdog.Start(Guid.NewGuid().ToString("N"), "", null);
        var first = watchdog.ProcessId;
        SupervisionTests.Kill(first);
        await UntilAsync(() => watchdog.ProcessId != first && SupervisionTests.StateOf(watchdog.ProcessId) is not null);
        watchdog.Dispose();
        await UntilAsync(() => SupervisionTests.StateOf(watchdog.ProcessId) is null);
    }

    private static ChildProcess Start(string run, string script) => ChildProcess.Start(Spec(run, script), (_, _) => { });

    private static ProcessSpec Spec(string run, string script) =>
        new("/bin/sh", ["-c", script], new Dictionary<string, string> { [Watchdog.RunVariable] = run, ["PATH"] = Environment.GetEnvironmentVariable("PATH")! }, "/");

    private static async Task UntilAsync(Func<bool> condition, Func<string>? what = null)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Running.Patience, what?.Invoke() ?? "it never happened");
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
