using System.Globalization;

namespace FactoryStream.Ingest.Backpressure;

/// <summary>What Kafka keeps of each partition of a topic.</summary>
/// <param name="Bytes">The newest so many bytes; <see cref="long.MaxValue"/>: all.</param>
/// <param name="Time">What is younger; null: for ever.</param>
internal readonly record struct TopicRetention(long Bytes, TimeSpan? Time)
{
    /// <summary>Out of a topic's settings, e.g. <c>retention.bytes</c> 201326592 and <c>retention.ms</c> 604800000; -1: no bound.</summary>
    public static TopicRetention Of(IReadOnlyDictionary<string, string> settings)
    {
        var bytes = Number("retention.bytes");
        var milliseconds = Number("retention.ms");
        // More than TimeSpan holds is for ever as well.
        return new(
            bytes ?? long.MaxValue,
            milliseconds is { } time && time < TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond
                ? TimeSpan.FromMilliseconds(time)
                : null
        );

        long? Number(string name) =>
            settings.TryGetValue(name, out var text)
            && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= 0
                ? value
                : null;
    }
}
