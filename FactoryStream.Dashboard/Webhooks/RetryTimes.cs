namespace FactoryStream.Dashboard.Webhooks;

/// <summary>When what could not be delivered is tried again: pure.</summary>
internal static class RetryTimes
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>
    /// The pause until the next attempt: as long as it has been tried already, so that each is about twice the one before, give or take a
    /// quarter, so that many do not come at once; null: it has been tried for long enough.
    /// </summary>
    /// <param name="tried">Time since the first attempt.</param>
    /// <param name="first">The first pause, and the least.</param>
    /// <param name="retryFor">How long it is tried.</param>
    /// <param name="jitter">Any number from 0 to 1.</param>
    public static TimeSpan? PauseAfter(TimeSpan tried, TimeSpan first, TimeSpan retryFor, double jitter)
    {
        if (tried >= retryFor)
            return null;
        var pause = TimeSpan.FromTicks(Math.Clamp(tried.Ticks, first.Ticks, Math.Max(first.Ticks, LongestPause.Ticks)));
        return pause * (0.75 + (0.5 * jitter));
    }
}
