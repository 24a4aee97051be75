using FactoryStream.ServiceDefaults.Http;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>
/// Carries every running re-drive on, whoever began it: after a crash this or another instance goes on where the rows say. They take turns
/// request by request, so that none waits for another's end.
/// </summary>
internal sealed class RedriveWorker(RedriveStep step, TimeProvider time, DashboardLog log) : BackgroundService
{
    // One look into an index of the running ones, which is nearly always empty.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string? failure = null;
        while (true)
        {
            var moved = false;
            try
            {
                moved = await RunAsync(stoppingToken);
                failure = null;
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
            {
                if (failure is null)
                    log.RedrivesUnavailable(exception.Message);
                failure = reason;
            }
            if (!moved)
                await Task.Delay(LookInterval, time, stoppingToken);
        }
    }

    /// <summary>A step of each re-drive that has lines to send now; whether there may be more at once.</summary>
    private async Task<bool> RunAsync(CancellationToken cancellation)
    {
        var moved = false;
        foreach (var redriveNo in await step.DueAsync(cancellation))
        {
            var outcome = await step.RunAsync(redriveNo, cancellation);
            moved |= outcome == StepOutcome.Moved;
            if (outcome == StepOutcome.Ended)
                log.RedriveEnded(redriveNo);
        }
        return moved;
    }
}
