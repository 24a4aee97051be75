using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Contracts;

/// <summary>Envelopes as the tests of the parser write and read them.</summary>
internal static class Envelopes
{
    public const string Data = """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 3001}""";

    public static (Verdict Verdict, SignedReading Reading, string? Detail, Metric[] Metrics) Parse(string line) =>
        Parse(Encoding.UTF8.GetBytes(line));

    public static (Verdict Verdict, SignedReading Reading, string? Detail, Metric[] Metrics) Parse(byte[] line)
    {
        var parser = new ReadingParser();
        var verdict = parser.TryParse(line, out var reading, out var detail);
        return (verdict, reading, detail, parser.Metrics.ToArray());
    }

    public static string Envelope(string data) => $$"""{"data": {{data}}, "signature": "QUJD"}""";

    public static string Batch(params string[] readings) => $$"""{"batch": [{{string.Join(", ", readings)}}], "signature": "QUJD"}""";
}
