using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Aggregator;

/// <summary>Messages as the Aggregator consumes them: of factory f, engine e and noon, in partition 0.</summary>
internal static class ConsumedMessages
{
    public static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    public static string MetricsData(int second, params string[] names)
    {
        var time = Noon.AddSeconds(second).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        var metrics = string.Join(',', names.Select(name => $"\"{name}\":1"));
        return $$"""{"factory_id":"f","engine_id":"e","timestamp":"{{time}}",{{metrics}}}""";
    }

    public static string Metrics(int second, params string[] names) =>
        $$"""{"data":{{MetricsData(second, names)}},"signature":"QUJD","key_id":"k1"}""";

    public static string Of(string engine, int second) => Single(second).Replace("\"e\"", $"\"{engine}\"", StringComparison.Ordinal);

    public static string Data(int second) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"factory_id": "f", "engine_id": "e", "timestamp": "{{Noon.AddSeconds(second):yyyy-MM-dd HH:mm:ss}}", "rpm": {{second}}}"""
        );

    public static string Single(int second) => $$"""{"data":{{Data(second)}},"signature":"QUJD","key_id":"k1"}""";

    public static string Batch(params int[] seconds) =>
        $$"""{"batch":[{{string.Join(", ", seconds.Select(Data))}}],"signature":"QUJD","key_id":"k1"}""";

    public static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Message(long offset, string source, params string[] lines) =>
        Consumed(
            TopicNames.Verified,
            offset,
            string.Join('\n', lines),
            (MessageHeaders.Source, source),
            (MessageHeaders.SourceTopicId, "signed-1"),
            (MessageHeaders.VerdictTime, "2026-01-01T12:00:00.000000Z")
        );

    public static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Share(long offset, string source, string share, string batch)
    {
        var message = Message(offset, source, batch);
        message.Message.Headers.Add(MessageHeaders.Framing, "single"u8.ToArray());
        message.Message.Headers.Add(MessageHeaders.BatchShare, Encoding.ASCII.GetBytes(share));
        return message;
    }

    public static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Rejected(
        long offset,
        string source,
        string reason,
        int readings,
        string line
    ) =>
        Consumed(
            TopicNames.Rejected,
            offset,
            line,
            (MessageHeaders.Source, source),
            (MessageHeaders.SourceTopicId, "signed-1"),
            (MessageHeaders.Reason, reason),
            (MessageHeaders.RejectedBy, "verifier"),
            (MessageHeaders.RejectedAt, "2026-01-01T12:00:00.000000Z"),
            (MessageHeaders.FactoryId, "f"),
            (MessageHeaders.Readings, readings.ToString(CultureInfo.InvariantCulture))
        );

    public static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Consumed(
        string topic,
        long offset,
        string value,
        params (string Name, string Text)[] headers
    )
    {
        var message = new Message<Ignore, ReadOnlyMemory<byte>>
        {
            Value = Encoding.UTF8.GetBytes(value),
            Headers = [],
            Timestamp = new Timestamp(Noon),
        };
        foreach (var (name, text) in headers)
            message.Headers.Add(name, Encoding.UTF8.GetBytes(text));
        return new ConsumeResult<Ignore, ReadOnlyMemory<byte>>
        {
            Topic = topic,
            Partition = 0,
            Offset = offset,
            Message = message,
        };
    }
}
