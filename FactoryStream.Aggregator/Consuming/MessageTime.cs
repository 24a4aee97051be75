using System.Globalization;
using Confluent.Kafka;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// Times in messages. Who writes to a topic may give any; what is used lies between 1970 and the year 9999, as PostgreSQL and
/// .NET both have it.
/// </summary>
internal static class MessageTime
{
    private static readonly DateTime Last = new(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>A header's time, ISO 8601; false for none and for one that neither Verifier nor Ingest can have written.</summary>
    public static bool TryParse(string? text, out DateTime utc) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out utc)
        && utc >= DateTime.UnixEpoch
        && utc <= Last;

    /// <summary>A message's own time, or the nearest one that can be stored.</summary>
    public static DateTime Of(Timestamp timestamp) =>
        DateTime.UnixEpoch.AddMilliseconds(Math.Clamp(timestamp.UnixTimestampMs, 0, (long)(Last - DateTime.UnixEpoch).TotalMilliseconds));
}
