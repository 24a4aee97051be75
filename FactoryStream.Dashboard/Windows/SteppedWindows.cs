using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// Engines' windows in steps of any length: what is rolled up as it is stored, and the edges and the newest, which are not, merged from
/// finer steps.
/// </summary>
internal static class SteppedWindows
{
    /// <param name="connection">In a transaction that sees one state of the database: windows may be rolled up meanwhile.</param>
    /// <param name="length">The steps' length, one of <see cref="WindowStep"/> or some of them.</param>
    /// <param name="spans">Times of engines, each engine once, with up to when it is rolled up.</param>
    /// <param name="metrics">Only windows with one of these; null: all.</param>
    /// <param name="most">How many rolled-up windows of an engine, the oldest; null: all. Some beyond them may be missing.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>By engine's number and start; the metrics are not filtered.</returns>
    public static async Task<List<StoredWindow>> ReadAsync(
        NpgsqlConnection connection,
        TimeSpan length,
        IEnumerable<(EngineSpan Span, DateTime? RolledUntil)> spans,
        IReadOnlyList<string>? metrics,
        int? most,
        CancellationToken cancellation
    )
    {
        var coarsest = WindowStep.All.Last(step => length.Ticks % step.Length.Ticks == 0);
        var stored = new List<StoredWindow>();
        foreach (
            var parts in spans
                .SelectMany(span => coarsest.Cover(span.Span, span.RolledUntil))
                .ToLookup(part => part.Step, part => part.Span)
        )
            stored.AddRange(
                await StepStatements.ReadAsync(
                    connection,
                    parts.Key,
                    [.. parts],
                    metrics,
                    parts.Key.Length == length ? most : null,
                    cancellation
                )
            );
        return WindowMerge.ByStep(stored, length);
    }
}
