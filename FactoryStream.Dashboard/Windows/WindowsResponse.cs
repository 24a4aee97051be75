namespace FactoryStream.Dashboard.Windows;

/// <summary>The answer of <c>/api/windows</c>.</summary>
/// <param name="Windows">By factory, engine, start and metric.</param>
/// <param name="NextCursor">What to give as <c>cursor</c>, all else as before, for the next page; null: there are no more.</param>
internal sealed record WindowsResponse(IReadOnlyList<MetricWindow> Windows, string? NextCursor);
