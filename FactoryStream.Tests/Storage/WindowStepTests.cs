using FactoryStream.Storage;

namespace FactoryStream.Tests.Storage;

public sealed class WindowStepTests
{
    private static readonly DateTime Midnight = new(2026, 2, 25, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_time_is_covered_by_the_coarsest_steps_that_are_rolled_up_and_by_finer_ones_at_its_edges()
    {
        var span = new EngineSpan(1, Midnight.AddSeconds(-3_725), Midnight.AddSeconds(90_130));

        Assert.Equal(
            [
                "10s 24T22:57:55 24T22:58:00",
                "1m 24T22:58:00 24T23:00:00",
                "1h 24T23:00:00 25T00:00:00",
                "1d 25T00:00:00 26T00:00:00",
                "1h 26T00:00:00 26T01:00:00",
                "1m 26T01:00:00 26T01:01:00",
                "10s 26T01:01:00 26T01:02:10",
            ],
            Cover(WindowStep.Day, span, Midnight.AddSeconds(90_060))
        );
        Assert.Equal(["10s 24T22:57:55 26T01:02:10"], Cover(WindowStep.Day, span, null));
        Assert.Equal(["10s 24T22:57:55 26T01:02:10"], Cover(WindowStep.Day, span, Midnight.AddDays(-9)));
        Assert.Empty(Cover(WindowStep.Day, span with { To = span.From }, Midnight));
    }

    [Theory]
    [InlineData(7)]
    [InlineData(30)]
    public void Days_of_one_engine_are_some_hundred_rows(int days)
    {
        var now = Midnight.AddSeconds(45_678);

        var rows = WindowStep
            .Hour.Cover(new(1, now.AddDays(-days), now), WindowStep.Minute.Floor(now))
            .Sum(part => Math.Ceiling((part.Span.To - part.Span.From) / part.Step.Length));

        Assert.InRange(rows, days * 24, days * 24 + 120);
    }

    [Fact]
    public void The_end_of_all_time_has_a_start_of_each_step() =>
        Assert.All(WindowStep.All, step => Assert.Equal(step.Floor(DateTime.MaxValue), step.Ceiling(DateTime.MaxValue)));

    private static IEnumerable<string> Cover(WindowStep step, EngineSpan span, DateTime? rolledUntil) =>
        step.Cover(span, rolledUntil).Select(part => $"{part.Step.Name} {part.Span.From:ddTHH:mm:ss} {part.Span.To:ddTHH:mm:ss}");
}
