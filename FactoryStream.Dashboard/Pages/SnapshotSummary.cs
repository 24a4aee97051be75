using System.Globalization;
using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Locales;

namespace FactoryStream.Dashboard.Pages;

/// <summary>What there is to see, in one sentence.</summary>
internal static class SnapshotSummary
{
    public static string Of(LatestSnapshot snapshot) =>
        snapshot switch
        {
            { Version: 0 } => "Waiting for the database.",
            { IsLive: false } => "The database is away: this is how it was.",
            { Engines.Count: 0 } => "Waiting for the first closed window.",
            _ => string.Create(
                CultureInfo.CurrentCulture,
                $"{snapshot.Engines.Count:N0} engines in {snapshot.Engines.DistinctBy(engine => engine.FactoryId).Count():N0} factories; "
                    + $"newest window closed until {BrowserLocale.Second(snapshot.Engines.Max(engine => engine.WindowEnd))}."
            ),
        };
}
