using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;

namespace FactoryStream.Tests.Distributed;

/// <summary>One to three Verifiers and Aggregators come and go under load, in a system of their own.</summary>
public sealed class ScalingTests
{
    private static readonly string[] Scaled = ["verifier", "aggregator"];

    [Fact]
    public async Task Replicas_that_come_and_go_under_load_lose_nothing_and_double_nothing()
    {
        await using var system = await RunningSystem.StartAsync("--verifier:replicas=3", "--aggregator:replicas=3");
        using var folder = new TemporaryFolder();
        var report = Path.Combine(folder.Path, "load.json");
        // Signed in batches of five; CrashTests sends readings that are signed one by one, which takes a minute longer to prepare.
        var load = ToolProcess.RunAsync(
            system,
            "FactoryStream.Benchmarks",
            "load",
            "--rate",
            "2000",
            "--seconds",
            "25",
            "--factories",
            "3",
            "--engines",
            "4",
            "--batch",
            "5",
            "--factory-prefix",
            "scale",
            "--keys",
            folder.Path,
            "--out",
            report
        );
        var stored = await RunningSystem.EventuallyAsync(
            async () =>
                load.IsCompleted ? -1 : await system.QueryAsync<long>("SELECT coalesce(sum(stored), 0)::bigint FROM factory.ledger"),
            stored => stored != 0
        );
        Assert.True(stored > 0, stored > 0 ? "" : (await load).Output);

        foreach (var service in Scaled)
        {
            var all = (await system.InstancesAsync(service)).Keys.Order(StringComparer.Ordinal).ToArray();
            Assert.Equal(3, all.Length);
            // Down to one and up again, by the dashboard's commands.
            await CommandAsync(system, all[0], KnownResourceCommands.StopCommand);
            await CommandAsync(system, all[1], KnownResourceCommands.StopCommand);
            Assert.Equal(
                [all[2]],
                (await RunningSystem.EventuallyAsync(() => system.InstancesAsync(service), running => running.Count == 1)).Keys
            );
            await CommandAsync(system, all[0], KnownResourceCommands.StartCommand);
            await CommandAsync(system, all[1], KnownResourceCommands.StartCommand);
            await RunningSystem.EventuallyAsync(() => system.InstancesAsync(service), running => running.Count == 3);
        }
        foreach (var service in Scaled)
        {
            // By a signal, as Kubernetes does it.
            var (id, pid) = (await system.InstancesAsync(service)).First();
            using (var kill = Process.Start("kill", ["-TERM", pid.ToString(CultureInfo.InvariantCulture)]))
                await kill.WaitForExitAsync().WaitAsync(RunningSystem.Patience);
            // It leaves in good order, and as nobody asked the orchestrator for that, it is started again.
            await RunningSystem.EventuallyAsync(
                () => system.InstancesAsync(service),
                running => running.TryGetValue(id, out var now) && now != pid
            );
            await system.SaysAsync(id, "It ended with exit code 0 and is started again");
        }

        var (exitCode, output) = await load;
        Assert.True(exitCode == 0, output);
        var acknowledged = JsonDocument.Parse(await File.ReadAllTextAsync(report)).RootElement.GetProperty("acknowledged").GetInt64();
        Assert.Equal(50_000, acknowledged);
        await system.AssertStoredOnceAsync("scale", acknowledged);
    }

    private static async Task CommandAsync(RunningSystem system, string id, string command)
    {
        using var timeout = new CancellationTokenSource(RunningSystem.Patience);
        var result = await system.App.ResourceCommands.ExecuteCommandAsync(id, command, timeout.Token);
        Assert.True(result.Success, $"{command} {id}: {result.Message}");
    }
}
