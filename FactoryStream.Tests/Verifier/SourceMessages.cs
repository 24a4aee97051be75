using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

/// <summary>Messages of <c>readings.signed</c>, and the verdicts on them.</summary>
internal static class SourceMessages
{
    public static string Batch(int pair) =>
        Batches.GetOrAdd(
            pair,
            static pair => Encoding.UTF8.GetString(SignBatch(pair, "f1", [("e1", Noon), ("e2", Noon), ("e1", Noon.AddSeconds(-1))]))
        );

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, string> Batches = new();

    public static string[] Sources(VerifiedPartition partition) =>
        [.. partition.Producer.To(TopicNames.Verified).Select(message => message[MessageHeaders.Source]!)];

    public static string Line(int second) =>
        Lines.GetOrAdd(second, static second => Encoding.UTF8.GetString(Sign(0, "f1", Noon.AddSeconds(-second))));

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, string> Lines = new();

    public static SourceValue Message(long offset, params string[] lines) =>
        new(offset, Encoding.UTF8.GetBytes(string.Join('\n', lines)), []);

    public static SourceValue Message(long offset, byte[] value, string header, string text) =>
        new(offset, value, new Headers { { header, Encoding.UTF8.GetBytes(text) } });
}

/// <summary>A message of <c>readings.signed</c> as it came.</summary>
internal sealed record SourceValue(long Offset, byte[] Value, Headers Headers, string? Key = null);
