using System.Diagnostics.Metrics;

namespace FactoryStream.Dashboard;

/// <summary>The meter <c>FactoryStream.Dashboard</c>.</summary>
internal sealed class DashboardMetrics : IDisposable
{
    public const string MeterName = "FactoryStream.Dashboard";

    private readonly Meter meter;
    private long pendingDeliveryAge;

    public DashboardMetrics(IMeterFactory factory)
    {
        meter = factory.Create(MeterName);
        Updates = meter.CreateCounter<long>(
            "factorystream.dashboard.update.count",
            "{update}",
            "Times that changed windows were read from the database, bursts taken together"
        );
        UpdateDuration = meter.CreateHistogram<double>(
            "factorystream.dashboard.update.duration",
            "s",
            "Reading the changed engines' latest windows",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
            }
        );
        Sockets = meter.CreateUpDownCounter<long>("factorystream.dashboard.socket.active", "{connection}", "Open connections of /ws");
        Pages = meter.CreateUpDownCounter<long>("factorystream.dashboard.page.active", "{page}", "Pages that are being kept up to date");
        TailReadings = meter.CreateHistogram<long>(
            "factorystream.dashboard.ledger.tail",
            "{reading}",
            "Accepted readings that the ledger found in the broker's log alone",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [0, 10, 100, 1_000, 10_000, 100_000, 1_000_000] }
        );
        WebhooksDelivered = meter.CreateCounter<long>(
            "factorystream.dashboard.webhook.delivered",
            "{delivery}",
            "Events of alerts that a webhook has taken"
        );
        WebhooksFailed = meter.CreateCounter<long>(
            "factorystream.dashboard.webhook.failed",
            "{attempt}",
            "Attempts to deliver to a webhook that failed"
        );
        WebhooksDead = meter.CreateCounter<long>(
            "factorystream.dashboard.webhook.dead",
            "{delivery}",
            "Deliveries that were given up after the longest time of trying"
        );
        meter.CreateObservableGauge(
            "factorystream.dashboard.webhook.pending.age",
            () => PendingDeliveryAge.TotalSeconds,
            "s",
            "Age of the oldest delivery that is pending for a webhook that is turned on; read every 10 s"
        );
    }

    public Counter<long> Updates { get; }

    public Histogram<double> UpdateDuration { get; }

    public UpDownCounter<long> Sockets { get; }

    public UpDownCounter<long> Pages { get; }

    public Histogram<long> TailReadings { get; }

    public Counter<long> WebhooksDelivered { get; }

    public Counter<long> WebhooksFailed { get; }

    public Counter<long> WebhooksDead { get; }

    /// <summary>How old the oldest pending delivery is; zero: none is pending.</summary>
    public TimeSpan PendingDeliveryAge
    {
        get => new(Interlocked.Read(ref pendingDeliveryAge));
        set => Interlocked.Exchange(ref pendingDeliveryAge, value.Ticks);
    }

    public void Dispose() => meter.Dispose();
}
