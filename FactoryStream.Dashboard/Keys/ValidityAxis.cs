namespace FactoryStream.Dashboard.Keys;

/// <summary>The span of time that all keys' bars are drawn over, in hundredths of its width.</summary>
/// <param name="Start">The left edge.</param>
/// <param name="End">The right edge.</param>
public readonly record struct ValidityAxis(DateTime Start, DateTime End)
{
    private static readonly TimeSpan Least = TimeSpan.FromDays(1);

    // One key that is valid until the year 9999 must not make a dot of every other.
    private static readonly TimeSpan Most = TimeSpan.FromDays(5 * 365);

    /// <summary>An axis with every bound of these keys that is within five years of now, and room for what goes beyond.</summary>
    public static ValidityAxis Of(IEnumerable<EnrolledKey> keys, DateTime now)
    {
        var bounds = keys.SelectMany(key => (DateTime?[])[key.NotBefore, key.NotAfter, key.RevokedAt, key.EnrolledAt])
            .OfType<DateTime>()
            .Where(time => (time - now).Duration() <= Most)
            .Append(now)
            .ToArray();
        var (first, last) = (bounds.Min(), bounds.Max());
        var room = TimeSpan.FromTicks(Math.Max(Least.Ticks, (last - first).Ticks / 10));
        return new(first - room, last + room);
    }

    /// <summary>Where a time is, from 0 to 100; what is beyond an edge is at it.</summary>
    public double Position(DateTime time) => Math.Clamp(100 * ((time - Start) / (End - Start)), 0, 100);

    /// <summary>Where a key's bar begins and how wide it is; null: nothing of it is on the axis.</summary>
    public (double From, double Width)? Bar(EnrolledKey key)
    {
        var from = key.NotBefore is { } start ? Position(start) : 0;
        var until = key.Until is { } end ? Position(end) : 100;
        return until > from ? (from, until - from) : null;
    }
}
