using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// Aspire does not notice when its orchestrator (DCP) dies: the application would run on, and nobody would look after it. So it is stopped
/// in good order, with exit code 1. Only of an AppHost that is a process of its own: of several in one process nobody can tell whose
/// orchestrator it was.
/// </summary>
internal sealed class OrchestratorWatch(
    AppHostSettings settings,
    IHostApplicationLifetime lifetime,
    ILogger<OrchestratorWatch> logger,
    TimeProvider clock
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>It has ended: nobody is left to ask for anything.</summary>
    public bool IsGone { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!OperatingSystem.IsLinux() || settings.RandomizePorts)
            return;
        (int Pid, string? StartedAt)[] watched = [];
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (watched.Length == 0)
                {
                    watched =
                    [
                        .. Find(Processes.All().Select(process => (process, Processes.CommandOf(process))), Environment.ProcessId)
                            .Select(pid => (pid, Processes.StartTimeOf(pid))),
                    ];
                }
                else if (Array.FindIndex(watched, process => Processes.StartTimeOf(process.Pid) != process.StartedAt) is >= 0 and var gone)
                {
                    SupervisionLog.OrchestratorGone(logger, watched[gone].Pid);
                    IsGone = true;
                    Environment.ExitCode = 1;
                    lifetime.StopApplication();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The application ends.
        }
    }

    /// <summary>
    /// The two processes of an AppHost's orchestrator, or none before both are there: <c>dcp start-apiserver --monitor APPHOST --kubeconfig
    /// FILE</c> starts <c>dcp run-controllers --kubeconfig FILE</c>, which is the one that looks after processes.
    /// </summary>
    internal static int[] Find(IEnumerable<(int Pid, string[] Command)> processes, int appHost)
    {
        var orchestrators = processes
            .Where(process => process.Command is [var program, ..] && Path.GetFileName(program) == "dcp")
            .ToArray();
        var monitored = appHost.ToString(CultureInfo.InvariantCulture);
        foreach (
            var server in orchestrators.Where(process =>
                process.Command.Contains("start-apiserver") && Value(process.Command, "--monitor") == monitored
            )
        )
        {
            var session = Value(server.Command, "--kubeconfig");
            var controllers = orchestrators
                .FirstOrDefault(process => process.Command.Contains("run-controllers") && Value(process.Command, "--kubeconfig") == session)
                .Pid;
            if (session is not null && controllers != 0)
                return [server.Pid, controllers];
        }
        return [];

        static string? Value(string[] command, string name) =>
            Array.IndexOf(command, name) is >= 0 and var at && at + 1 < command.Length ? command[at + 1] : null;
    }
}
