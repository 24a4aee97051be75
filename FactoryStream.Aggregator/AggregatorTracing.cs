using System.Diagnostics;

namespace FactoryStream.Aggregator;

/// <summary>The spans of transactions.</summary>
internal static class AggregatorTracing
{
    public static ActivitySource Source { get; } = new("FactoryStream.Aggregator");
}
