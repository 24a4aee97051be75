using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Load;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Tests.Simulator;

public sealed class LoadTests
{
    private static readonly DateTime Start = new(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(new[] { 5 }, 0.5, 5)]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0.5, 5)]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0.9, 9)]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0.91, 10)]
    [InlineData(new[] { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 }, 0, 1)]
    [InlineData(new[] { -3, 63, 63 }, 0, 0)]
    [InlineData(new int[0], 0.99, 0)]
    public void A_percentile_of_short_times_is_exact(int[] microseconds, double share, int expected)
    {
        var histogram = new LatencyHistogram();
        foreach (var value in microseconds)
            histogram.Record(TimeSpan.FromMicroseconds(value));

        Assert.Equal(TimeSpan.FromMicroseconds(expected), histogram.Percentile(share));
    }

    [Fact]
    public void A_percentile_of_any_time_is_at_most_a_64th_above_it()
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 25)).Order().ToArray();
        var histogram = new LatencyHistogram();
        foreach (var value in values)
            histogram.Record(TimeSpan.FromMicroseconds(value));

        foreach (var share in (double[])[0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1])
        {
            var exact = values[(int)Math.Ceiling(share * values.Length) - 1];
            Assert.InRange(histogram.Percentile(share).TotalMicroseconds, exact, exact * (1 + 1 / 64.0) + 1);
        }
        Assert.Equal(values[^1], histogram.Max.TotalMicroseconds);
        Assert.Equal(values.Average(), histogram.Mean.TotalMicroseconds, values.Average() * 1e-6);
    }

    [Fact]
    public void Readings_weigh_what_they_are()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMicroseconds(10), 99);
        histogram.Record(TimeSpan.FromMicroseconds(50), 1);

        Assert.Equal(100, histogram.Count);
        Assert.Equal(10, histogram.Percentile(0.99).TotalMicroseconds);
        Assert.Equal(50, histogram.Percentile(0.991).TotalMicroseconds);
    }

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
        using var made = await MakeAsync(plan, readingsPerPost: 10);
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
        using var made = await MakeAsync(plan, readingsPerPost: 10);
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
            MakeAsync(new CorpusPlan(40, 2, 1, "f", 10, 100, Start, SaltLength.Digest, 10), readingsPerPost: 5)
        );

        Assert.Contains("in batches of 10", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_was_written_before_there_were_batches_is_read()
    {
        using var folder = new TemporaryFolder();
        var corpus = Path.Combine(folder.Path, "c.ndjson");
        File.WriteAllText(
            corpus + ".json",
            """{"readings": 40, "factories": 2, "engines": 1, "factory_prefix": "f", "batch": 10, "event_rate": 100, "start": "2026-02-25T06:00:00Z", "salt": "Digest"}"""
        );
        Assert.Equal(
            new CorpusPlan(40, 2, 1, "f", 10, 100, new DateTime(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc), SaltLength.Digest),
            CorpusPlan.Read(corpus)
        );
    }

    [Fact]
    public async Task A_post_of_several_factories_is_refused()
    {
        var exception = await Assert.ThrowsAsync<UsageException>(() =>
            MakeAsync(new CorpusPlan(40, 2, 1, "f", 10, 100, Start, SaltLength.Digest), readingsPerPost: 4)
        );

        Assert.Contains("Choose a divisor of 10", exception.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(0), InlineData(4000)]
    public async Task Whatever_Ingest_does_every_reading_is_acknowledged_and_a_factorys_keep_their_order(double rate)
    {
        await using var ingest = await IngestStub.StartAsync(
            IngestStub.Status(503, "0"),
            IngestStub.Reset,
            IngestStub.Status(429, "0"),
            IngestStub.Reset,
            IngestStub.Status(500),
            IngestStub.Status(503)
        );
        using var made = await MakeAsync(new CorpusPlan(600, 4, 3, "f", 10, 4000, Start, SaltLength.Digest), readingsPerPost: 10);

        var report = await RunAsync(made.Corpus, rate, 2, ingest);

        Assert.Equal(
            (600, 600, 0, 60, 6, null),
            (report.Sent, report.Acknowledged, report.Unacknowledged, report.Posts, report.RepeatedPosts, report.Failure)
        );
        var all = Enumerable
            .Range(0, made.Corpus.Posts)
            .Select(post => (Factory: made.Corpus.FactoryOf(post), Body: made.Corpus.LinesAt(post).ToArray()))
            .ToArray();
        foreach (var factory in all.GroupBy(post => post.Factory))
        {
            var name = made.Corpus.Plan.FactoryId(factory.Key);
            Assert.Equal(
                factory.Select(post => post.Body),
                ingest.Accepted.Where(body => Encoding.UTF8.GetString(body).Contains($"\"{name}\"", StringComparison.Ordinal))
            );
        }
        Assert.True(report.Ack.P50Ms <= report.Ack.P99Ms && report.Ack.P99Ms <= report.Ack.MaxMs);
    }

    [Fact]
    public async Task What_waits_behind_a_slow_post_counts_as_slow_when_a_rate_is_given()
    {
        // One POST of 100 takes half a second; at 1,000 readings/s and 10 a POST the fifty due meanwhile are late, too.
        await using var ingest = await IngestStub.StartAsync(async context =>
        {
            await Task.Delay(500, context.RequestAborted);
            await IngestStub.Status(202, null, """{"accepted": 10, "rejected": []}""")(context);
        });
        using var made = await MakeAsync(new CorpusPlan(400, 1, 1, "f", 10, 1000, Start, SaltLength.Digest), readingsPerPost: 10);

        var report = await RunAsync(made.Corpus, 1000, 1, ingest);

        Assert.Equal(400, report.Acknowledged);
        Assert.True(report.Ack.P50Ms > 100, $"{report.Ack.P50Ms} ms: all forty POSTs were due within 400 ms, so most waited");
    }

    [Fact]
    public async Task What_is_refused_or_has_no_answer_is_told_apart()
    {
        await using var ingest = await IngestStub.StartAsync(
            IngestStub.Status(
                202,
                null,
                """{"accepted": 8, "rejected": [{"line": 1, "reason": "malformed"}, {"line": 2, "reason": "malformed"}]}"""
            ),
            IngestStub.Status(404, null, "gone")
        );
        using var made = await MakeAsync(new CorpusPlan(50, 1, 1, "f", 10, 1000, Start, SaltLength.Digest), readingsPerPost: 10);

        var report = await RunAsync(made.Corpus, 0, 1, ingest);

        Assert.Equal((20, 8, 10, "Ingest answers 404: gone"), (report.Sent, report.Acknowledged, report.Unacknowledged, report.Failure));
        Assert.Equal(new Dictionary<string, long> { ["malformed"] = 2 }, report.Rejected);
    }

    private static async Task<LoadReport> RunAsync(Corpus corpus, double rate, int connections, IngestStub ingest)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var open = Enumerable
            .Range(0, connections)
            .Select(_ => new HttpConnection(ingest.Address, TimeProvider.System, TimeSpan.FromSeconds(10)))
            .ToArray();
        var next = -1;
        try
        {
            return await new LoadRun(
                corpus,
                rate,
                connections,
                repeating => new Delivery(open[Interlocked.Increment(ref next)], TimeProvider.System, TimeSpan.FromSeconds(30), repeating),
                TimeProvider.System
            ).RunAsync(stopAfter: null, timeout.Token);
        }
        finally
        {
            foreach (var connection in open)
                connection.Dispose();
        }
    }

    private static async Task<MadeCorpus> MakeAsync(CorpusPlan plan, int readingsPerPost)
    {
        var folder = new TemporaryFolder();
        var signers = Enumerable.Range(0, plan.Factories).Select(_ => ReadingSigner.Create()).ToArray();
        var file = new FileStream(Path.Combine(folder.Path, "corpus"), FileMode.Create, FileAccess.ReadWrite);
        try
        {
            await CorpusWriter.WriteAsync(plan, signers, file, null, CancellationToken.None);
            return new MadeCorpus(folder, signers, Corpus.Open(file, plan, readingsPerPost));
        }
        catch
        {
            await file.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    private sealed record MadeCorpus(TemporaryFolder Folder, ReadingSigner[] Signers, Corpus Corpus) : IDisposable
    {
        public void Dispose()
        {
            Corpus.Dispose();
            Folder.Dispose();
            foreach (var signer in Signers)
                signer.Dispose();
        }
    }
}
