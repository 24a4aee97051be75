using System.Diagnostics;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Verifier.Topics;

/// <summary>The open span of each partition that has traced messages among the polled ones.</summary>
internal sealed class PolledSpans
{
    private readonly Dictionary<PartitionProgress, Activity> spans = [];

    public void Start(PolledMessages polled)
    {
        foreach (var traced in polled.Messages.Where(message => message.IsTraced).GroupBy(message => message.Partition))
        {
            var span = VerifierTracing.Source.StartLinked(
                "process readings.signed",
                ActivityKind.Consumer,
                [.. traced.Select(message => message.Trace)]
            );
            // Each partition's span stands beside the others, not below them.
            Activity.Current = null;
            if (span is null)
                continue;
            span.SetMessaging("process", TopicNames.Signed, traced.Key.Partition, TopicNames.VerifierGroup, traced.Count());
            spans.Add(traced.Key, span);
        }
    }

    /// <summary>What a message's trace goes on from; default: it has none.</summary>
    public ActivityContext TraceOf(in PolledMessage message) =>
        !message.IsTraced ? default
        : spans.TryGetValue(message.Partition, out var span) ? span.Context
        : message.Trace;

    public void Stop()
    {
        foreach (var span in spans.Values)
            span.Stop();
        spans.Clear();
        Activity.Current = null;
    }
}
