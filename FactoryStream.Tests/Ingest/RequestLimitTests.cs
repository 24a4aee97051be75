using System.Net;
using System.Text;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class RequestLimitTests
{
    [Fact]
    public async Task A_line_that_is_too_long_is_refused_and_only_its_beginning_kept()
    {
        await using var app = await StartAsync(("MaxLineBytes", 8_192));
        var answer = await app.PostAsync(Envelope(), new string('x', 100_000), Envelope(value: 2), new string(' ', 10_000) + "y");

        Assert.Equal((HttpStatusCode.Accepted, 2), (answer.Status, answer.Accepted));
        Assert.Equal(["2 too_large", "4 too_large"], answer.Rejected);
        Assert.Equal(new string('x', 4_096), app.Kafka.To(TopicNames.Rejected)[0].Value);
    }

    [Fact]
    public async Task Too_many_lines_are_too_large_and_the_answer_says_how_many_are_safe()
    {
        await using var app = await StartAsync(("MaxLinesPerRequest", 3));
        var answer = await app.PostAsync(Enumerable.Range(0, 5).Select(value => Envelope(value: value)));

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, 3), (answer.Status, answer.Accepted));
        Assert.Equal(3, app.Kafka.Lines.Count);
    }

    [Fact]
    public async Task A_body_that_grows_too_large_is_cut_off_and_the_answer_says_how_many_are_safe()
    {
        await using var app = await StartAsync(("MaxBodyBytes", 2_000));
        // Its length is not told beforehand.
        using var content = new StreamedContent(Enumerable.Repeat(Envelope() + "\n", 100));
        var answer = await app.PostAsync("application/x-ndjson", content);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
        Assert.Equal(app.Kafka.Lines.Count, answer.Accepted);
    }

    [Fact]
    public async Task A_body_that_says_it_is_too_large_is_not_read()
    {
        await using var app = await StartAsync(("MaxBodyBytes", 2_000));
        var answer = await app.PostAsync(Enumerable.Repeat(Envelope(), 100));

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, 0, 0), (answer.Status, answer.Accepted, app.Kafka.Lines.Count));
    }

    [Fact]
    public async Task An_envelope_that_is_too_large_is_told_so()
    {
        await using var app = await StartAsync(("MaxLineBytes", 2_048));
        var answer = await app.PostAsync("application/json", Encoding.UTF8.GetBytes(new string('x', 3_000)));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
        Assert.Equal(["1 too_large"], answer.Rejected);
        Assert.Equal("too_large", Assert.Single(app.Kafka.To(TopicNames.Rejected))[MessageHeaders.Reason]);
    }

    [Fact]
    public async Task A_flood_of_refusals_is_cut_off_and_the_list_of_them_is_bounded()
    {
        await using var app = await StartAsync(("MaxRefusedPerRequest", 5), ("MaxRejectedListed", 2));
        var answer = await app.PostAsync([Envelope(), .. Enumerable.Repeat("nonsense", 100), Envelope()]);

        Assert.Equal((HttpStatusCode.BadRequest, 1, 5), (answer.Status, answer.Accepted, answer.RejectedCount));
        Assert.Equal(["2 malformed", "3 malformed"], answer.Rejected);
        Assert.Equal(5, app.Kafka.To(TopicNames.Rejected).Count);
    }
}
