using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Fuzz;

/// <summary>Both ways of the parser against rules that were written a second time: never only against each other.</summary>
public sealed class ParserOracleTests
{
    private const int Mutants = 200_000;

    [Fact]
    public void Whatever_comes_is_taken_refused_and_read_as_the_rules_say()
    {
        // A worker for each processor, and a seed for each worker: so a failure's seed and number name one mutant on any machine.
        var workers = Environment.ProcessorCount;
        var accepted = new int[workers];
        Parallel.For(0, workers, worker => accepted[worker] = Compare(FuzzSettings.Seed + worker, (Mutants + workers - 1) / workers));
        // Neither answer is given in vain.
        Assert.InRange(accepted.Sum(), Mutants / 10, Mutants * 9 / 10);
    }

    /// <returns>How many were accepted.</returns>
    private static int Compare(int seed, int mutants)
    {
        var mutator = new Mutator(seed);
        // Parsers that have seen all the mutants before, as a service's have.
        var (parser, general) = (new ReadingParser(), new ReadingParser());
        var accepted = 0;
        for (var number = 0; number < mutants; number++)
        {
            var mutant = mutator.Next();
            var expected = EnvelopeOracle.Parse(mutant);
            accepted += expected is null ? 0 : 1;
            var actual = Read(parser, parser.TryParse(mutant, out var reading, out var detail), reading, detail);
            if (!AreSame(expected, actual))
                Assert.Fail(Difference(seed, number, mutant, expected, actual, detail));
            actual = Read(general, general.ReadAny(mutant, out reading, out detail), reading, detail);
            if (!AreSame(expected, actual))
                Assert.Fail($"The general way: {Difference(seed, number, mutant, expected, actual, detail)}");
        }
        return accepted;
    }

    [Fact]
    public void Every_vector_is_taken_or_refused_as_the_rules_say()
    {
        var parser = new ReadingParser();
        foreach (var envelope in Vectors.Envelopes)
        {
            var expected = EnvelopeOracle.Parse(envelope);
            var actual = Read(parser, parser.TryParse(envelope, out var reading, out var detail), reading, detail);
            Assert.True(AreSame(expected, actual), Difference(0, 0, envelope, expected, actual, detail));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_mutants()
    {
        var (first, second) = (new Mutator(7), new Mutator(7));
        for (var number = 0; number < 1_000; number++)
            Assert.Equal(first.Next(), second.Next());
    }

    /// <summary>What the parser gave, in the oracle's words. Of a refused one nothing is left that could hurt.</summary>
    private static ExpectedEnvelope? Read(ReadingParser parser, Verdict verdict, SignedReading reading, string? detail)
    {
        if (verdict != Verdict.Accepted)
        {
            Assert.Equal(Verdict.Malformed, verdict);
            Assert.True(detail is { Length: > 0 and <= 1_000 } && detail == StorableText.Of(detail), detail);
            Assert.True(reading.FactoryId.Length == 0 || StorableText.IsName(reading.FactoryId), reading.FactoryId);
            Assert.True(parser.Metrics.Count == 0 && parser.Others.Count == 0 && parser.BatchReadings.IsEmpty);
            return null;
        }
        Assert.Null(detail);
        var readings = new List<ExpectedReading>();
        if (reading.IsBatch)
        {
            foreach (var part in parser.BatchReadings)
                readings.Add(
                    new(
                        reading.FactoryId,
                        part.EngineId,
                        part.MeasuredAt,
                        Text(reading.Data.Slice(part.Start, part.Length)),
                        Bits(parser.MetricsOf(part))
                    )
                );
            Assert.Equal(
                (readings.Min(part => part.MeasuredAt), readings.Max(part => part.MeasuredAt)),
                (reading.OldestAt, reading.MeasuredAt)
            );
        }
        else
        {
            readings.Add(new(reading.FactoryId, reading.EngineId, reading.MeasuredAt, Text(reading.Data), Bits(parser.MetricsSpan)));
        }
        Assert.Equal(readings.Count, reading.Count);
        return new ExpectedEnvelope(Text(reading.Data), Text(reading.Signature), reading.KeyId, reading.IsBatch, readings);
    }

    private static bool AreSame(ExpectedEnvelope? one, ExpectedEnvelope? other) =>
        one is null || other is null
            ? one is null && other is null
            : (one.Data, one.Signature, one.KeyId, one.IsBatch, one.Readings.Count)
                == (other.Data, other.Signature, other.KeyId, other.IsBatch, other.Readings.Count)
                && one.Readings.Zip(other.Readings)
                    .All(pair =>
                        pair.First with { Metrics = NoMetrics } == pair.Second with { Metrics = NoMetrics }
                        && pair.First.Metrics.SequenceEqual(pair.Second.Metrics)
                    );

    private static readonly (string, long)[] NoMetrics = [];

    private static (string, long)[] Bits(ReadOnlySpan<Metric> metrics)
    {
        var bits = new (string, long)[metrics.Length];
        for (var i = 0; i < bits.Length; i++)
            bits[i] = (metrics[i].Name, BitConverter.DoubleToInt64Bits(metrics[i].Value));
        return bits;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static string Difference(
        int seed,
        int number,
        byte[] mutant,
        ExpectedEnvelope? expected,
        ExpectedEnvelope? actual,
        string? detail
    ) =>
        $"seed {seed}, mutant {number}: the rules say {Told(expected)}; the parser {Told(actual)} {detail}\n"
        + $"{Encoding.Latin1.GetString(mutant)}";

    private static string Told(ExpectedEnvelope? envelope) =>
        envelope is null
            ? "refused"
            : $"{envelope.KeyId} {envelope.Signature} "
                + string.Join(
                    ' ',
                    envelope
                        .Readings.Take(3)
                        .Select(reading =>
                            $"{reading.FactoryId}/{reading.EngineId} {reading.MeasuredAt:O} {string.Join(',', reading.Metrics.Take(12))}"
                        )
                );
}
