using System.Diagnostics;
using System.Globalization;

namespace FactoryStream.ServiceDefaults.Kafka;

/// <summary>What a span of messages says, as OpenTelemetry's conventions for messaging have it.</summary>
public static class MessagingTags
{
    /// <summary>Says of a span what it did with messages of one partition.</summary>
    /// <param name="span">The span that is described; null: it is not sampled, and nothing is done.</param>
    /// <param name="operation"><c>send</c> or <c>process</c>.</param>
    /// <param name="topic">The topic that the messages are of.</param>
    /// <param name="partition">The Kafka partition's number, from 0.</param>
    /// <param name="group">The consumer group, where one processes.</param>
    /// <param name="count">How many messages there were; null: not known.</param>
    public static void SetMessaging(
        this Activity? span,
        string operation,
        string topic,
        int partition,
        string? group = null,
        int? count = null
    )
    {
        if (span is null)
            return;
        span.SetTag("messaging.system", "kafka")
            .SetTag("messaging.operation.name", operation)
            .SetTag("messaging.operation.type", operation)
            .SetTag("messaging.destination.name", topic)
            .SetTag("messaging.destination.partition.id", partition.ToString(CultureInfo.InvariantCulture));
        if (group is not null)
            span.SetTag("messaging.consumer.group.name", group);
        if (count is not null)
            span.SetTag("messaging.batch.message_count", count);
    }
}
