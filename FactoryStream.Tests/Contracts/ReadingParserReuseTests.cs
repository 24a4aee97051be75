using System.Text;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static FactoryStream.Tests.Contracts.Envelopes;

namespace FactoryStream.Tests.Contracts;

public sealed class ReadingParserReuseTests
{
    [Fact]
    public void An_envelope_of_one_reading_is_no_batch_whatever_came_before()
    {
        var parser = new ReadingParser();
        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Batch(Data, Data)), out _, out _));
        Assert.Equal(2, parser.BatchReadings.Length);
        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Envelope(Data)), out var reading, out _));
        Assert.Equal(
            (false, 0, 1, 0, 1),
            (reading.IsBatch, reading.BatchCount, reading.Count, parser.BatchReadings.Length, parser.Metrics.Count)
        );
    }

    [Property(MaxTest = 300)]
    public Property A_parser_that_knows_other_readings_reads_as_one_that_knows_none() =>
        Prop.ForAll(
            Gen.Elements(
                    Data,
                    Data.Replace("rpm", "temp", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"temp\": 1, \"rpm\": 2", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"temp\": 2", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"temp\": 2, \"rpm\": 3", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"engine_id\": \"e\"", StringComparison.Ordinal),
                    Data.Replace("rpm", "r\\u0070m", StringComparison.Ordinal),
                    Data.Replace("3001", "true", StringComparison.Ordinal),
                    """{"engine_id": "e2", "factory_id": "f", "timestamp": "2026-02-25 06:13:21"}""",
                    """{"rpm": 1, "factory_id": "f\u0066", "engine_id": "e"}""",
                    "{}"
                )
                .ListOf()
                .ToArbitrary(),
            readings =>
            {
                var knowing = new ReadingParser();
                foreach (var reading in readings)
                {
                    foreach (var line in (string[])[Envelope(reading), Batch(Data, reading), Batch(reading, reading)])
                    {
                        var fresh = new ReadingParser();
                        var bytes = Encoding.UTF8.GetBytes(line);
                        Assert.Equal(
                            (fresh.TryParse(bytes, out var expected, out var detail), detail),
                            (knowing.TryParse(bytes, out var actual, out var other), other)
                        );
                        Assert.Equal(
                            expected with
                            {
                                Data = default,
                                Signature = default,
                            },
                            actual with
                            {
                                Data = default,
                                Signature = default,
                            }
                        );
                        Assert.Equal(fresh.BatchReadings.ToArray(), knowing.BatchReadings.ToArray());
                        if (expected.FactoryId.Length > 0 && detail is null)
                            Assert.Equal(fresh.Metrics, knowing.Metrics);
                    }
                }
                return true;
            }
        );

    [Fact]
    public void Names_that_are_invented_without_end_are_not_kept_without_end()
    {
        var names = new Utf8StringPool(capacity: 1_000, maxBytes: 4_000);
        for (var i = 0; i < 100_000; i++)
            Assert.Equal($"n{i}", names.Get(Encoding.UTF8.GetBytes($"n{i}")));
        Assert.InRange(names.Count, 1, 1_000);
        Assert.Same(names.Get("n99999"u8), names.Get("n99999"u8));
    }
}
