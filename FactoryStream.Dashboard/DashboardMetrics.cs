using System.Diagnostics.Metrics;

namespace FactoryStream.Dashboard;

/// <summary>The meter <c>FactoryStream.Dashboard</c>.</summary>
internal sealed class DashboardMetrics : IDisposable
{
    public const string MeterName = "FactoryStream.Dashboard";

    private readonly Meter meter;
    private readonly Counter<long> notifications;
    private readonly Histogram<double> refreshDuration;
    private readonly Histogram<double> booksDuration;
    private readonly Counter<long> backlogLines;
    private readonly UpDownCounter<int> pages;
    private readonly UpDownCounter<int> sockets;
    private int engines;

    public DashboardMetrics(IMeterFactory meters)
    {
        meter = meters.Create(MeterName);
        notifications = meter.CreateCounter<long>("factorystream.dashboard.notifications", "{notification}", "Notifications of closed or corrected windows.");
        refreshDuration = meter.CreateHistogram<double>("factorystream.dashboard.refresh.duration", "s", "Time to read the newest windows of the engines that changed.");
        booksDuration = meter.CreateHistogram<double>("factorystream.dashboard.books.duration", "s", "Time to draw up the books.");
        backlogLines = meter.CreateCounter<long>("factorystream.dashboard.backlog_lines", "{line}", "Lines of readings.signed read to count the backlog.");
        pages = meter.CreateUpDownCounter<int>("factorystream.dashboard.pages", "{page}", "Pages that are open.");
        sockets = meter.CreateUpDownCounter<int>("factorystream.dashboard.sockets", "{socket}", "WebSockets that are open.");
        meter.CreateObservableGauge("factorystream.dashboard.engines", () => Volatile.Read(ref engines), "{engine}", "Engines with a closed window.");
    }

    public void Notified() => notifications.Add(1);

    public void Refreshed(int engineCount, TimeSpan duration)
    {
        Volatile.Write(ref engines, engineCount);
        refreshDuration.Record(duration.TotalSeconds);
    }

    public void BooksDrawnUp(long lines, TimeSpan duration)
    {
        backlogLines.Add(lines);
        booksDuration.Record(duration.TotalSeconds);
    }

    public void Page(int change) => pages.Add(change);

    public void Socket(int change) => sockets.Add(change);

    public void Dispose() => meter.Dispose();
}
