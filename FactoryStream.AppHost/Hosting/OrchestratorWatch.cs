using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Aspire does not notice when its orchestrator (DCP) dies: the application would run on, and nobody would look after it. So it is stopped in good order.</summary>
internal sealed class OrchestratorWatch(IHostApplicationLifetime lifetime, ILogger<OrchestratorWatch> logger, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!OperatingSystem.IsLinux())
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
                    pid = Processes.All().FirstOrDefault(IsOurs);
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

    /// <summary>dcp run-controllers ... --monitor AppHost's number</summary>
    private static bool IsOurs(int pid) => Processes.CommandOf(pid) is [var program, .. var words]
        && Path.GetFileName(program) == "dcp" && words.Contains("run-controllers")
        && words.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
}
