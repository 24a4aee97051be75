using System.Diagnostics.Metrics;

namespace FactoryStream.Dashboard;

/// <summary>What the Dashboard measures of itself.</summary>
internal sealed class DashboardMetrics : IDisposable
{
    public const string Name = "FactoryStream.Dashboard";

    private readonly Meter meter;

    public DashboardMetrics(IMeterFactory factory)
    {
        meter = factory.Create(Name);
        Sockets = meter.CreateUpDownCounter<int>("factorystream.dashboard.sockets", "{socket}", "Clients on /ws");
        Pages = meter.CreateUpDownCounter<int>("factorystream.dashboard.pages", "{page}", "Open pages");
        Updates = meter.CreateCounter<long>("factorystream.dashboard.updates", "{update}", "Changes of the newest windows passed on");
        BooksDuration = meter.CreateHistogram<double>("factorystream.dashboard.books.duration", "s", "Time to draw up the books, the log's tail included");
    }

    public UpDownCounter<int> Sockets { get; }

    public UpDownCounter<int> Pages { get; }

    public Counter<long> Updates { get; }

    public Histogram<double> BooksDuration { get; }

    public void Dispose() => meter.Dispose();
}
