using System.Text;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Sending;
using FactoryStream.Tests.Simulator;

namespace FactoryStream.Tests.Benchmarks;

public sealed class LoadRunTests
{
    private static readonly DateTime Start = new(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc);

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
        using var made = await MadeCorpus.MakeAsync(
            new CorpusPlan(600, 4, 3, "f", 10, 4000, Start, SaltLength.Digest),
            readingsPerPost: 10
        );

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
        using var made = await MadeCorpus.MakeAsync(
            new CorpusPlan(400, 1, 1, "f", 10, 1000, Start, SaltLength.Digest),
            readingsPerPost: 10
        );

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
        using var made = await MadeCorpus.MakeAsync(new CorpusPlan(50, 1, 1, "f", 10, 1000, Start, SaltLength.Digest), readingsPerPost: 10);

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
}
