using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>
/// Readings as the simulator sends them: 220 bytes of data with seven metrics, a signature of RSA-2048; the signatures are noise, for
/// nothing here checks them.
/// </summary>
internal static class Samples
{
    public static readonly DateTime Start = new(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc);

    public static string Data(string factoryId, string engineId, DateTime measuredAt, Random noise) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"factory_id": "{{factoryId}}", "engine_id": "{{engineId}}", "timestamp": "{{measuredAt:yyyy-MM-dd HH:mm:ss.fff}}","""
                + $$""" "temp_air": {{99 + noise.NextDouble():F2}}, "temp_oil": {{90 + noise.NextDouble():F2}},"""
                + $$""" "temp_exhaust": {{760 + noise.NextDouble():F2}}, "vibration": {{2 + noise.NextDouble():F2}},"""
                + $$""" "pressure_1": {{150 + noise.NextDouble():F2}}, "pressure_2": {{149 + noise.NextDouble():F2}},"""
                + $$""" "rpm": {{3000 + noise.Next(9)}}}"""
        );

    /// <summary>Envelopes of one factory's engines in turn, each engine's a tenth of a second apart.</summary>
    public static byte[][] Envelopes(int count, int engines, bool hasKeyId)
    {
        var noise = new Random(1);
        var signature = new byte[256];
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                {
                    noise.NextBytes(signature);
                    var data = Data("factory_001", $"engine_{i % engines + 1:D3}", Start.AddMilliseconds(i / engines * 100), noise);
                    return Encoding.UTF8.GetBytes(
                        $$"""{"data": {{data}}, "signature": "{{Convert.ToBase64String(signature)}}"{{KeyId(hasKeyId)}}}"""
                    );
                }),
        ];
    }

    /// <summary>Batches of one engine each.</summary>
    public static byte[][] Batches(int count, int readings, bool hasKeyId)
    {
        var noise = new Random(1);
        var signature = new byte[256];
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                {
                    noise.NextBytes(signature);
                    var array = string.Join(
                        ", ",
                        Enumerable
                            .Range(0, readings)
                            .Select(j =>
                                Data("factory_001", $"engine_{i % 6 + 1:D3}", Start.AddMilliseconds((i * readings + j) * 100), noise)
                            )
                    );
                    return Encoding.UTF8.GetBytes(
                        $$"""{"batch": [{{array}}], "signature": "{{Convert.ToBase64String(signature)}}"{{KeyId(hasKeyId)}}}"""
                    );
                }),
        ];
    }

    private static string KeyId(bool hasKeyId) => hasKeyId ? ", \"key_id\": \"4f2a9c1e7b3d5068\"" : "";

    /// <summary>Messages of <c>readings.verified</c>, each the answer to one of <c>readings.signed</c>.</summary>
    public static ConsumeResult<Ignore, ReadOnlyMemory<byte>>[] VerifiedMessages(int count, int lines)
    {
        var envelopes = Envelopes(count * lines, 6, hasKeyId: true);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new ConsumeResult<Ignore, ReadOnlyMemory<byte>>
                {
                    Topic = TopicNames.Verified,
                    Partition = 0,
                    Offset = i,
                    Message = new Message<Ignore, ReadOnlyMemory<byte>>
                    {
                        Value = Encoding.UTF8.GetBytes(
                            string.Join('\n', envelopes.Skip(i * lines).Take(lines).Select(Encoding.UTF8.GetString))
                        ),
                        Headers =
                        [
                            new Header(MessageHeaders.VerdictTime, "2026-02-25T06:13:20.123456Z"u8.ToArray()),
                            new Header(
                                MessageHeaders.Source,
                                Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{i}:{lines}"))
                            ),
                            new Header(MessageHeaders.SourceTopicId, "AAAAAAAAAAAAAAAAAAAAAA"u8.ToArray()),
                        ],
                    },
                }),
        ];
    }
}
