using FactoryStream.Dashboard.Live;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>The raised alerts at one moment: immutable, so that every page may keep it as long as it draws.</summary>
/// <param name="Version">Goes up whenever something happened to an alert; 0: nothing was loaded yet.</param>
/// <param name="Raised">Alarms first, then the newest; at most <see cref="LatestAlertsReader.MaxAlerts"/>.</param>
/// <param name="Count">How many are raised, also those that are not among them.</param>
/// <param name="IsLive">False while the database is away: then the alerts are as they were.</param>
internal sealed record AlertsSnapshot(long Version, IReadOnlyList<Alert> Raised, long Count, bool IsLive);

/// <summary>The raised alerts, in memory for all pages: the watch writes, and any number of pages wait for the next change.</summary>
internal sealed class LatestAlerts
{
    private readonly Latest<AlertsSnapshot> latest = new(new(0, [], 0, IsLive: false));

    public AlertsSnapshot Current => latest.Current;

    /// <summary>Takes in what is raised now.</summary>
    public void Update(IReadOnlyList<Alert> raised, long count) => latest.Publish(new(Current.Version + 1, raised, count, IsLive: true));

    /// <summary>The database is away: what is known stays, and is marked.</summary>
    public void Age()
    {
        if (Current.IsLive)
            latest.Publish(Current with { Version = Current.Version + 1, IsLive = false });
    }

    /// <summary>The first state after a version; at once if there is one already.</summary>
    public Task<AlertsSnapshot> NextAsync(long version, CancellationToken cancellation) =>
        latest.NextAsync(snapshot => snapshot.Version > version, cancellation);
}
