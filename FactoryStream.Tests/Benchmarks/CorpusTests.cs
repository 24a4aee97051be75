using System.Text;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Simulator;

namespace FactoryStream.Tests.Benchmarks;

public sealed class CorpusTests
{
    private static readonly DateTime Start = new(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(1000, 3, 4, 100, 2000)]
    [InlineData(1000, 1, 1, 7, 100_000)]
    [InlineData(999, 10, 6, 1, 50)]
    [InlineData(5, 10, 6, 100, 1)]
    public void Every_engines_time_goes_on_and_batches_come_due_in_order(long readings, int factories, int engines, int batch, double rate)
    {
        var plan = new CorpusPlan(readings, factories, engines, "load", batch, rate, Start, SaltLength.Digest);
        var last = new Dictionary<(int, int), DateTime>();
        var lines = 0L;
        var due = DateTime.MinValue;
        for (var b = 0L; b < plan.Posts; b++)
        {
            for (var i = 0; i < plan.ReadingsOf(b); i++, lines++)
            {
                var engine = (plan.FactoryOf(b), plan.EngineOf(lines));
                var time = plan.MeasuredAt(lines);
                Assert.True(!last.TryGetValue(engine, out var before) || time > before);
                last[engine] = time;
            }
            if (plan.ReadingsOf(b) == batch)
            {
                Assert.True(plan.MeasuredAt(lines - 1) >= due);
                due = plan.MeasuredAt(lines - 1);
            }
        }
        Assert.Equal(readings, lines);
        Assert.Equal(Start, plan.MeasuredAt(0));
    }

    [Fact]
    public async Task A_corpus_is_what_its_plan_says_and_each_reading_is_another_and_true()
    {
        var plan = new CorpusPlan(230, 3, 2, "plant", 20, 1000, Start, SaltLength.Maximum);
        using var made = await MadeCorpus.MakeAsync(plan, readingsPerPost: 10);
        var corpus = made.Corpus;

        Assert.Equal(23, corpus.Posts);
        var parser = new ReadingParser();
        using var verifier = new SignatureVerifier();
        var seen = new HashSet<string>();
        for (var post = 0; post < corpus.Posts; post++)
        {
            var lines = MessageLines.Split(corpus.LinesAt(post), single: false);
            Assert.Equal(corpus.ReadingsOf(post), lines.Count);
            for (var i = 0; i < lines.Count; i++)
            {
                Assert.Equal(Verdict.Accepted, parser.TryParse(lines[i], out var reading, out _));
                var line = post * 10 + i;
                Assert.Equal(
                    (plan.FactoryId(corpus.FactoryOf(post)), $"engine_{plan.EngineOf(line) + 1:D3}", plan.MeasuredAt(line)),
                    (reading.FactoryId, reading.EngineId, reading.MeasuredAt)
                );
                Assert.True(seen.Add(Encoding.UTF8.GetString(reading.Data.Span)));
                Assert.True(RsaPublicKey.TryParsePem(made.Signers[corpus.FactoryOf(post)].ExportPublicKeyPem(), out var key, out _));
                var result = new bool[1];
                verifier.Verify(
                    [new SignatureCheck(key, reading.Data, Convert.FromBase64String(Encoding.ASCII.GetString(reading.Signature.Span)))],
                    result
                );
                Assert.True(result[0]);
            }
        }
        Assert.Equal(230, seen.Count);
    }

    [Theory]
    [InlineData(1000, 3, 4, 100, 10, 2000, false)]
    [InlineData(995, 2, 3, 40, 20, 100_000, false)]
    [InlineData(999, 10, 6, 100, 100, 50, false)]
    [InlineData(999, 10, 6, 100, 100, 50, true)]
    public void A_batch_is_of_one_engine_at_its_own_pace_or_of_all_in_turn(
        long readings,
        int factories,
        int engines,
        int post,
        int perSignature,
        double rate,
        bool isMixed
    )
    {
        var plan = new CorpusPlan(readings, factories, engines, "load", post, rate, Start, SaltLength.Digest, perSignature, isMixed);
        var last = new Dictionary<(int, int), DateTime>();
        var earliest = DateTime.MaxValue;
        var due = DateTime.MinValue;
        for (var reading = 0L; reading < readings; reading++)
        {
            var engine = (plan.FactoryOf(reading / post), plan.EngineOf(reading));
            var time = plan.MeasuredAt(reading);
            if (last.TryGetValue(engine, out var before))
                Assert.True(time > before, $"{reading}: {time:O} after {before:O}");
            last[engine] = time;
            earliest = time < earliest ? time : earliest;
            var isLastOfBatch = reading % post % perSignature == perSignature - 1 || reading == readings - 1;
            if (!isLastOfBatch)
                Assert.Equal(isMixed && engines > 1, plan.EngineOf(reading + 1) != engine.Item2);
            if (reading % post == post - 1)
            {
                Assert.True(time >= due);
                due = time;
            }
        }
        Assert.Equal(Start, earliest);
        Assert.True(last.Values.Max() - plan.MeasuredAt(readings - 1) <= TimeSpan.Zero);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_corpus_of_batches_has_a_signature_for_each_and_holds_every_reading_once(bool isMixed)
    {
        var plan = new CorpusPlan(230, 3, 2, "plant", 20, 1000, Start, SaltLength.Digest, 5, isMixed);
        using var made = await MadeCorpus.MakeAsync(plan, readingsPerPost: 10);
        var corpus = made.Corpus;

        Assert.Equal((23, 230), (corpus.Posts, Enumerable.Range(0, corpus.Posts).Sum(corpus.ReadingsOf)));
        var parser = new ReadingParser();
        using var verifier = new SignatureVerifier();
        var number = 0L;
        for (var post = 0; post < corpus.Posts; post++)
        {
            foreach (var line in MessageLines.Split(corpus.LinesAt(post), single: false))
            {
                Assert.Equal(Verdict.Accepted, parser.TryParse(line, out var batch, out _));
                Assert.Equal((5, plan.FactoryId(corpus.FactoryOf(post))), (batch.BatchCount, batch.FactoryId));
                foreach (var reading in parser.BatchReadings.ToArray())
                {
                    Assert.Equal(
                        ($"engine_{plan.EngineOf(number) + 1:D3}", plan.MeasuredAt(number)),
                        (reading.EngineId, reading.MeasuredAt)
                    );
                    number++;
                }
                Assert.True(RsaPublicKey.TryParsePem(made.Signers[corpus.FactoryOf(post)].ExportPublicKeyPem(), out var key, out _));
                var result = new bool[1];
                verifier.Verify(
                    [new SignatureCheck(key, batch.Data, Convert.FromBase64String(Encoding.ASCII.GetString(batch.Signature.Span)))],
                    result
                );
                Assert.True(result[0]);
            }
        }
        Assert.Equal(230, number);
    }

    [Fact]
    public async Task A_post_that_would_cut_a_batch_is_refused()
    {
        var exception = await Assert.ThrowsAsync<UsageException>(() =>
            MadeCorpus.MakeAsync(new CorpusPlan(40, 2, 1, "f", 10, 100, Start, SaltLength.Digest, 10), readingsPerPost: 5)
        );

        Assert.Contains("in batches of 10", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_was_written_before_there_were_batches_is_read()
    {
        using var folder = new TemporaryFolder();
        var corpus = Path.Combine(folder.Path, "c.ndjson");
        File.Copy(TestData.File("corpus/plan-without-batches.json"), corpus + ".json");
        Assert.Equal(
            new CorpusPlan(40, 2, 1, "f", 10, 100, new DateTime(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc), SaltLength.Digest),
            CorpusPlan.Read(corpus)
        );
    }

    [Fact]
    public async Task A_post_of_several_factories_is_refused()
    {
        var exception = await Assert.ThrowsAsync<UsageException>(() =>
            MadeCorpus.MakeAsync(new CorpusPlan(40, 2, 1, "f", 10, 100, Start, SaltLength.Digest), readingsPerPost: 4)
        );

        Assert.Contains("Choose a divisor of 10", exception.Message, StringComparison.Ordinal);
    }
}
