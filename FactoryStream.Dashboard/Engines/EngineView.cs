using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Windows;
using Microsoft.AspNetCore.Http.Extensions;

namespace FactoryStream.Dashboard.Engines;

/// <summary>
/// What an engine's page shows, all of which its address holds. Sample:
/// <c>?from=2026-02-25T06:00:00.0000000Z&amp;to=2026-02-25T07:00:00.0000000Z&amp;metric=rpm&amp;compare=day</c>.
/// </summary>
/// <param name="Live">The time that moves on; it counts where no fixed one is given.</param>
/// <param name="Fixed">From, inclusive, to, exclusive.</param>
/// <param name="Metrics">The metrics that are shown; none: all.</param>
/// <param name="Comparison">What is drawn as a second line; null: nothing.</param>
public sealed record EngineView(LiveRange Live, (DateTime From, DateTime To)? Fixed, IReadOnlyList<string> Metrics, Comparison? Comparison)
{
    public static readonly TimeSpan MinSpan = TimeSpan.FromMinutes(1);

    public static readonly EngineView Default = new(LiveRange.Default, null, [], null);

    public bool IsLive => Fixed is null;

    /// <summary>The view that an address asks for.</summary>
    /// <param name="query">The parameters, as they stand there.</param>
    /// <param name="view">The view; the default one where something is wrong.</param>
    /// <param name="error">What was expected and what was found; null: nothing is wrong.</param>
    public static bool TryParse(EngineQuery query, out EngineView view, [NotNullWhen(false)] out string? error)
    {
        view = Default;
        var live = query.Range is null ? LiveRange.Default : LiveRange.All.FirstOrDefault(range => range.Name == query.Range);
        if (live is null)
        {
            error = $"range: expected {string.Join(", ", LiveRange.All.Select(range => range.Name))}, found '{query.Range}'.";
            return false;
        }
        if (!QueryTime.TryParseRange(query.From, query.To, out var range, out error))
            return false;
        if (range.From is null != range.To is null)
            error = "from and to: expected both of them, found one.";
        else if (range.To - range.From < MinSpan || range.To - range.From > SeriesStep.MaxSpan)
            error = string.Create(CultureInfo.InvariantCulture, $"from and to: expected 1 minute to {SeriesStep.MaxSpan.Days} days.");
        if (error is not null)
            return false;
        if (!TryParseComparison(query, out var comparison, out error))
            return false;
        var metrics = query.Metrics.Where(StorableText.IsName).Distinct().Order(StringComparer.Ordinal).ToArray();
        view = new(live, range is ({ } from, { } to) ? (from, to) : null, metrics, comparison);
        return true;
    }

    /// <summary>What is shown when the engine's newest window ends at a time.</summary>
    public (DateTime From, DateTime To) RangeAt(DateTime newestEnd)
    {
        if (Fixed is { } range)
            return range;
        var step = SeriesStep.For(Live.Span);
        // The first point is a whole step.
        return (SeriesStep.Floor(Earlier(newestEnd, Live.Span - step).AddTicks(-1), step), newestEnd);
    }

    /// <summary>The same view of a range that does not move.</summary>
    public EngineView At(DateTime from, DateTime to) => this with { Fixed = (from, to) };

    /// <summary>A part of the range around its middle, or more around it; as much as may be shown.</summary>
    public EngineView Zoom((DateTime From, DateTime To) range, double factor)
    {
        var span = (range.To - range.From) * factor;
        span =
            span < MinSpan ? MinSpan
            : span > SeriesStep.MaxSpan ? SeriesStep.MaxSpan
            : span;
        return Moved(range, span, (range.To - range.From - span) / 2);
    }

    /// <summary>The range half its length earlier (-0.5) or later (0.5).</summary>
    public EngineView Move((DateTime From, DateTime To) range, double share) =>
        Moved(range, range.To - range.From, (range.To - range.From) * share);

    /// <summary>The query string of this view; a view is the same as another when this is.</summary>
    public override string ToString()
    {
        var query = new QueryBuilder();
        if (Fixed is { } range)
        {
            query.Add("from", Text(range.From));
            query.Add("to", Text(range.To));
        }
        else if (Live != LiveRange.Default)
        {
            query.Add("range", Live.Name);
        }
        foreach (var metric in Metrics)
            query.Add("metric", metric);
        if (Comparison is { Engine: { } engine })
        {
            query.Add("compare_factory", engine.FactoryId);
            query.Add("compare_engine", engine.EngineId);
        }
        else if (Comparison is { Name: { } name })
        {
            query.Add("compare", name);
        }
        return query.ToString();
    }

    /// <summary>A time as addresses have it.</summary>
    public static string Text(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture);

    /// <summary>So much earlier, but not before 1970, where event time begins.</summary>
    public static DateTime Earlier(DateTime time, TimeSpan span) => time - DateTime.UnixEpoch > span ? time - span : DateTime.UnixEpoch;

    private EngineView Moved((DateTime From, DateTime To) range, TimeSpan span, TimeSpan later)
    {
        // Whole seconds are enough for a person, and make short links.
        var from = SeriesStep.Floor(later < TimeSpan.Zero ? Earlier(range.From, -later) : range.From + later, TimeSpan.FromSeconds(1));
        return DateTime.MaxValue - from > span ? At(from, from + span) : At(range.From, range.To);
    }

    private static bool TryParseComparison(EngineQuery query, out Comparison? comparison, [NotNullWhen(false)] out string? error)
    {
        (comparison, error) = (null, null);
        if (query.CompareFactory is not null || query.CompareEngine is not null)
        {
            if (!StorableText.IsName(query.CompareFactory) || !StorableText.IsName(query.CompareEngine))
                error = "compare_factory and compare_engine: expected both of them, of 1 to 128 characters.";
            else
                comparison = Comparison.With(query.CompareFactory, query.CompareEngine);
        }
        else if (query.Compare is not null)
        {
            comparison = Comparison.Earlier.FirstOrDefault(earlier => earlier.Name == query.Compare);
            if (comparison is null)
                error = $"compare: expected {string.Join(", ", Comparison.Earlier.Select(one => one.Name))}, found '{query.Compare}'.";
        }
        return error is null;
    }
}

/// <summary>The parameters of an engine's page, as they stand in its address.</summary>
public sealed record EngineQuery(
    string? Range,
    string? From,
    string? To,
    IReadOnlyList<string> Metrics,
    string? Compare,
    string? CompareFactory,
    string? CompareEngine
);
