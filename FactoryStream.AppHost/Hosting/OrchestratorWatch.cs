using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// Aspire does not notice when its orchestrator (DCP) dies: the application would run on, and nobody would look after it. So it is stopped
/// in good order, with exit code 1. Only of an AppHost that is a process of its own: of several in one process nobody can tell whose
/// orchestrator it was.
/// </summary>
internal sealed class OrchestratorWatch(AppHostSettings settings, IHostApplicationLifetime lifetime, ILogger<OrchestratorWatch> logger,
    TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!OperatingSystem.IsLinux() || settings.RandomizePorts)
            return;
        var pid = 0;
        string? startedAt = null;
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (startedAt is null)
                {
                    pid = Find(Processes.All().Select(process => (process, Processes.CommandOf(process))), Environment.ProcessId);
                    startedAt = pid == 0 ? null : Processes.StartTimeOf(pid);
                }
                else if (Processes.StartTimeOf(pid) != startedAt)
                {
                    SupervisionLog.OrchestratorGone(logger, pid);
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
    /// The orchestrator of an AppHost, or 0: <c>dcp start-apiserver --monitor APPHOST --kubeconfig FILE</c> starts
    /// <c>dcp run-controllers --kubeconfig FILE</c>, which is the one that looks after processes.
    /// </summary>
    internal static int Find(IEnumerable<(int Pid, string[] Command)> processes, int appHost)
    {
        var orchestrators = processes.Where(process => process.Command is [var program, ..] && Path.GetFileName(program) == "dcp")
            .ToArray();
        var monitored = appHost.ToString(CultureInfo.InvariantCulture);
        var session = orchestrators.Where(process => process.Command.Contains("start-apiserver")
            && Value(process.Command, "--monitor") == monitored)
            .Select(process => Value(process.Command, "--kubeconfig")).FirstOrDefault();
        return session is null ? 0 : orchestrators.FirstOrDefault(process => process.Command.Contains("run-controllers")
            && Value(process.Command, "--kubeconfig") == session).Pid;

        static string? Value(string[] command, string name) => Array.IndexOf(command, name) is >= 0 and var at && at + 1 < command.Length
            ? command[at + 1] : null;
    }
}
