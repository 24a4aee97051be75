using FactoryStream.Dashboard.Live;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>How long after their end windows were written: of the newest of each engine, which the Dashboard has in memory.</summary>
internal static class WindowDelays
{
    private static readonly TimeSpan Recently = TimeSpan.FromMinutes(1);

    public static WindowDelay Of(IEnumerable<EngineWindow> windows, DateTime now)
    {
        double[] seconds =
        [
            .. windows
                // The row of a corrected window tells when it was corrected.
                .Where(window => window.UpdatedAt > now - Recently && window.Means.All(mean => mean.Revision == 0))
                .Select(window => (window.UpdatedAt - window.WindowEnd).TotalSeconds)
                .Order(),
        ];
        return seconds.Length == 0 ? new(0, null, null) : new(seconds.Length, AtMost(0.5), AtMost(0.99));

        double AtMost(double share) => seconds[(int)Math.Ceiling(share * seconds.Length) - 1];
    }
}
