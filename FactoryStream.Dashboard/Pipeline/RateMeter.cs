namespace FactoryStream.Dashboard.Pipeline;

/// <summary>Counts that were looked at again and again, and how fast they went up of late. Not thread-safe.</summary>
internal sealed class RateMeter
{
    /// <summary>How far apart the two looks that a rate is told from are, if they can be: so that a burst is not a rate.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    /// <summary>An older look tells nothing of now.</summary>
    private static readonly TimeSpan Oldest = 3 * Span;

    private readonly Dictionary<string, Queue<(TimeSpan At, long Count)>> looks = [];

    /// <summary>Takes a count and gives its rate a second; null: there is no earlier look.</summary>
    /// <param name="name">What is counted.</param>
    /// <param name="count">How many there were ever; fewer than before: it was made anew.</param>
    /// <param name="at">When, from a fixed moment on.</param>
    public double? Observe(string name, long count, TimeSpan at)
    {
        if (!looks.TryGetValue(name, out var earlier))
            looks.Add(name, earlier = []);
        if (earlier.Count > 0 && (earlier.Last().Count > count || at - earlier.Last().At > Oldest))
            earlier.Clear();
        // The newest look that is a span ago stays, so that the rate covers one.
        while (earlier.Count > 1 && at - earlier.ElementAt(1).At >= Span)
            earlier.Dequeue();
        double? rate = earlier.TryPeek(out var first) && at > first.At ? (count - first.Count) / (at - first.At).TotalSeconds : null;
        // A look that is asked for again is the same look.
        if (earlier.Count == 0 || earlier.Last().At < at)
            earlier.Enqueue((at, count));
        return rate;
    }
}
