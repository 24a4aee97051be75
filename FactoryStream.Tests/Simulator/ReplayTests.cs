using System.Text;
using FactoryStream.Simulator.Replay;
using FactoryStream.Simulator.Sending;
using Microsoft.Extensions.Time.Testing;

namespace FactoryStream.Tests.Simulator;

public sealed class ReplayTests
{
    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(0.5, 0)]
    [InlineData(10.0, -90)]
    [InlineData(null, -100)]
    public void A_shifted_replay_is_of_now_and_never_ahead_of_the_clock(double? speed, double beginsAfterSeconds)
    {
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var first = new DateTime(2020, 3, 9, 10, 14, 33, DateTimeKind.Utc);
        var span = TimeSpan.FromSeconds(100);

        var shift = Timeline.ShiftToNow(first, span, speed, now);

        Assert.Equal(now.AddSeconds(beginsAfterSeconds), first + shift);
        for (var second = 0; second <= 100; second += 10)
        {
            var sentAt = now.AddSeconds(speed is { } times ? second / times : 0);
            Assert.True(first.AddSeconds(second) + shift <= sentAt);
        }
    }

    [Fact]
    public void Engines_are_merged_by_time_and_each_keeps_its_own_order()
    {
        // Engine b's clock jumped back once: its order is its own.
        var woven = Timeline
            .Weave([Of("a", 1, 3, 5), Of("b", 2, 6, 4, 7), Of("c"), Of("d", 3)])
            .Select(reading => Encoding.UTF8.GetString(reading.Data));

        Assert.Equal(["a1", "b2", "a3", "d3", "a5", "b6", "b4", "b7"], woven);

        static IEnumerable<UnsignedReading> Of(string engine, params int[] seconds) =>
            seconds.Select(second => new UnsignedReading(
                DateTime.UnixEpoch.AddSeconds(second),
                Encoding.UTF8.GetBytes($"{engine}{second}")
            ));
    }

    [Fact]
    public async Task Flat_out_lines_go_in_order_in_large_posts()
    {
        var poster = new RecordingPoster();
        var counts = new PostCounts();
        var lines = Enumerable
            .Range(0, 1201)
            .Select(i => new SignedLine(DateTime.UnixEpoch.AddSeconds(i), Encoding.UTF8.GetBytes($"{i}\n")))
            .ToArray();

        await new ReplayRun(new Delivery(poster, TimeProvider.System, null), TimeProvider.System, speed: null).SendAsync(
            lines.ToAsyncEnumerable(),
            counts,
            CancellationToken.None
        );

        Assert.Equal([500, 500, 201], poster.Posts.Select(post => post.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.Equal(string.Concat(Enumerable.Range(0, 1201).Select(i => $"{i}\n")), string.Concat(poster.Posts));
        Assert.Equal((1201, 1201, true), (counts.Sent, counts.Acknowledged, counts.IsComplete));
    }

    [Fact]
    public async Task At_a_speed_lines_go_when_their_time_has_come()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var poster = new RecordingPoster();
        var counts = new PostCounts();
        var lines = ((int[])[0, 0, 10, 20])
            .Select((second, i) => new SignedLine(DateTime.UnixEpoch.AddSeconds(second), Encoding.UTF8.GetBytes($"{i}\n")))
            .ToArray();
        var sending = new ReplayRun(new Delivery(poster, clock, null), clock, speed: 2).SendAsync(
            lines.ToAsyncEnumerable(),
            counts,
            CancellationToken.None
        );

        Assert.Equal(["0\n1\n"], poster.Posts);
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(["0\n1\n"], poster.Posts);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        await EventuallyAsync(() => counts.Acknowledged == 3);
        Assert.Equal(["0\n1\n", "2\n"], poster.Posts);
        Assert.False(sending.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(5));
        await sending.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["0\n1\n", "2\n", "3\n"], poster.Posts);
    }

    [Fact]
    public async Task Nothing_overtakes_a_post_that_failed()
    {
        var poster = new RecordingPoster { Answer = new PostAnswer(PostOutcome.Failed, Why: "no") };
        var counts = new PostCounts();
        var lines = Enumerable.Range(0, 2000).Select(i => new SignedLine(DateTime.UnixEpoch, Encoding.UTF8.GetBytes($"{i}\n"))).ToArray();

        await new ReplayRun(new Delivery(poster, TimeProvider.System, null), TimeProvider.System, speed: null).SendAsync(
            lines.ToAsyncEnumerable(),
            counts,
            CancellationToken.None
        );

        Assert.Single(poster.Posts);
        Assert.Equal(("no", false), (counts.Failure, counts.IsComplete));
    }

    [Fact]
    public void A_signed_file_is_read_line_by_line_whatever_their_length()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "f");
        string[] lines = ["a", "", new string('b', 700_000), "c\r", "  ", "d"];
        File.WriteAllText(file, string.Join('\n', lines));

        var read = SignedFile.Lines(file).Select(line => (line.Number, Encoding.UTF8.GetString(line.Line.Span)));

        Assert.Equal([(1, "a\n"), (3, lines[2] + "\n"), (4, "c\r\n"), (6, "d\n")], read);
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
            await Task.Delay(5, timeout.Token);
    }
}
