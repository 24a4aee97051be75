using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>
/// Sends what is due in the outbox, to several webhooks side by side: one that responds slowly keeps no other waiting. Every Dashboard has
/// one. A delivery that was begun when the program ends is sent again when its lease is over, for nobody knows whether it arrived.
/// </summary>
internal sealed class DeliveryWorker(
    Outbox outbox,
    WebhookSender sender,
    IOptions<WebhookOptions> options,
    DashboardMetrics metrics,
    TimeProvider time,
    DashboardLog log
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AgeInterval = TimeSpan.FromSeconds(10);

    private readonly Dictionary<int, Task> sending = [];
    private long? ageReadAt;
    private bool isUnavailable;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken);
                isUnavailable = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is not null)
            {
                if (!isUnavailable)
                    log.DeliveriesUnavailable(exception.Message);
                isUnavailable = true;
            }
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await Task.WhenAll(sending.Values);
    }

    private async Task RunAsync(CancellationToken cancellation)
    {
        if (ageReadAt is not { } moment || time.GetElapsedTime(moment) >= AgeInterval)
        {
            metrics.PendingDeliveryAge = await outbox.PendingAgeAsync(cancellation);
            ageReadAt = time.GetTimestamp();
        }
        while (true)
        {
            foreach (var (webhookNo, task) in sending.Where(each => each.Value.IsCompleted).ToArray())
            {
                sending.Remove(webhookNo);
                // What nobody expects ends the service.
                await task;
            }
            var due = await outbox.TakeAsync(sending.Keys, cancellation);
            if (due.Count == 0)
                return;
            foreach (var ofWebhook in due.GroupBy(delivery => delivery.WebhookNo))
                sending.Add(ofWebhook.Key, Task.WhenAll(ofWebhook.Select(delivery => DeliverAsync(delivery, cancellation))));
            // More may be due of those that respond at once, and of the others something new.
            await Task.WhenAny([.. sending.Values, Task.Delay(Interval, time, cancellation)]);
        }
    }

    private async Task DeliverAsync(DueDelivery delivery, CancellationToken cancellation)
    {
        try
        {
            var outcome = await sender.SendAsync(delivery, cancellation);
            var pause = outcome.Error is null
                ? null
                : RetryTimes.PauseAfter(delivery.Tried, options.Value.RetryAfter, options.Value.RetryFor, Random.Shared.NextDouble());
            await outbox.WriteAsync(delivery, outcome, pause, cancellation);
            Count(delivery, outcome, isDead: pause is null);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The lease stays, and whoever is there when it is over sends it again.
        }
        catch (Exception exception) when (Unavailable.Describe(exception) is not null)
        {
            log.OutcomeNotWritten(delivery.DeliveryNo, exception.Message);
        }
    }

    private void Count(DueDelivery delivery, AttemptOutcome outcome, bool isDead)
    {
        if (outcome.Error is null)
        {
            metrics.WebhooksDelivered.Add(1);
            return;
        }
        metrics.WebhooksFailed.Add(1);
        if (!isDead)
            return;
        metrics.WebhooksDead.Add(1);
        log.DeliveryDead(delivery.DeliveryNo, delivery.WebhookNo, outcome.Error);
    }
}
