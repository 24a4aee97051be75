namespace FactoryStream.Ingest.Backpressure;

/// <summary>
/// The last to stop: by then no request and no source is left, and everything they handed over is answered. Waits for what may
/// be left all the same, as when the host's patience with open requests ended first.
/// </summary>
internal sealed class DrainWorker(Backlog backlog, TimeProvider time, IngestLog log) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (backlog.PendingBytes > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            log.NotDrained(backlog.PendingBytes);
        }
    }
}
