using System.Text;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Tests.Simulator;

public sealed class DeliveryTests
{
    private static readonly byte[] Lines = "{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n{\"n\": 4}\n"u8.ToArray();

    public enum Wire
    {
        Client,
        Connection,
    }

    [Theory, InlineData(Wire.Client), InlineData(Wire.Connection)]
    public async Task Lines_are_repeated_to_the_byte_until_they_are_acknowledged(Wire wire)
    {
        await using var ingest = await IngestStub.StartAsync(
            IngestStub.Status(429, "0"),
            IngestStub.Reset,
            IngestStub.Status(503, "0", "{\"title\": \"The broker is away\"}"),
            IngestStub.Reset,
            IngestStub.Status(500)
        );
        var complaints = new List<string>();

        var result = await SendAsync(wire, ingest, Lines, complaints);

        Assert.Equal(new DeliveryResult(4, null, 5, null), result);
        Assert.Equal(6, ingest.Posts.Count);
        Assert.All(ingest.Posts, post => Assert.Equal(Lines, post));
        Assert.Equal(5, complaints.Count);
        Assert.Equal("Ingest answers 429", complaints[0]);
    }

    [Theory, InlineData(Wire.Client), InlineData(Wire.Connection)]
    public async Task Refused_lines_are_counted_by_reason_and_not_repeated(Wire wire)
    {
        await using var ingest = await IngestStub.StartAsync(
            IngestStub.Status(
                202,
                null,
                """{"accepted": 2, "rejected": [{"line": 2, "reason": "malformed", "detail": {"more": [1]}},"""
                    + """ {"reason": "too_large", "line": 3}], "trace": "x"}"""
            ),
            IngestStub.Status(400, null, """{"accepted": 0, "rejected": [{"line": 1, "reason": "malformed"}]}""")
        );

        var mixed = await SendAsync(wire, ingest, Lines);
        var nothing = await SendAsync(wire, ingest, Lines[..9]);

        Assert.Equal((2, 0, null), (mixed.Accepted, mixed.Repetitions, mixed.Failure));
        Assert.Equal(new Dictionary<string, int> { ["malformed"] = 1, ["too_large"] = 1 }, mixed.Refused);
        Assert.Equal(0, nothing.Accepted);
        Assert.Equal(new Dictionary<string, int> { ["malformed"] = 1 }, nothing.Refused);
        Assert.Equal(2, ingest.Posts.Count);
    }

    [Fact]
    public async Task Too_much_for_one_request_is_sent_in_smaller_ones_in_order()
    {
        await using var ingest = await IngestStub.StartAsync(IngestStub.Status(413), IngestStub.Status(413));

        var result = await SendAsync(Wire.Client, ingest, Lines);

        Assert.Equal((4, null), (result.Accepted, result.Failure));
        Assert.Equal(Lines, ingest.Accepted.SelectMany(body => body));
        Assert.Equal(3, ingest.Accepted.Count);
    }

    [Fact]
    public async Task A_single_line_that_is_too_large_is_refused()
    {
        await using var ingest = await IngestStub.StartAsync(IngestStub.Status(413));

        var result = await SendAsync(Wire.Client, ingest, Lines[..9]);

        Assert.Equal(new Dictionary<string, int> { ["too_large"] = 1 }, result.Refused);
        Assert.Equal((0, null), (result.Accepted, result.Failure));
    }

    [Theory, InlineData(Wire.Client), InlineData(Wire.Connection)]
    public async Task An_error_that_repetition_cannot_cure_fails_at_once(Wire wire)
    {
        await using var ingest = await IngestStub.StartAsync(IngestStub.Status(404, null, "no such path"));

        var result = await SendAsync(wire, ingest, Lines);

        Assert.Equal(new DeliveryResult(0, null, 0, "Ingest answers 404: no such path"), result);
    }

    [Theory, InlineData(Wire.Client), InlineData(Wire.Connection)]
    public async Task An_Ingest_that_does_not_answer_is_given_up_at_last(Wire wire)
    {
        var ingest = await IngestStub.StartAsync();
        await ingest.DisposeAsync();

        var result = await SendAsync(wire, ingest, Lines, giveUpAfter: TimeSpan.FromMilliseconds(300));

        Assert.Equal(0, result.Accepted);
        Assert.NotEqual(0, result.Repetitions);
        Assert.Contains("does not respond", result.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Retry_After_is_read_in_both_of_its_forms()
    {
        var now = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromSeconds(7), PostAnswer.From(503, "7", [], now).RetryAfter);
        Assert.Equal(TimeSpan.FromSeconds(90), PostAnswer.From(429, "Sun, 01 Mar 2026 12:01:30 GMT", [], now).RetryAfter);
        Assert.Null(PostAnswer.From(503, "Sun, 01 Mar 2026 11:00:00 GMT", [], now).RetryAfter);
        Assert.Null(PostAnswer.From(503, "soon", [], now).RetryAfter);
        Assert.Null(PostAnswer.From(503, null, [], now).RetryAfter);
    }

    [Fact]
    public void A_202_without_counts_is_no_acknowledgement()
    {
        Assert.Equal(PostOutcome.Failed, PostAnswer.From(202, null, "{}"u8, default).Outcome);
        Assert.Equal(PostOutcome.Failed, PostAnswer.From(202, null, "<html>"u8, default).Outcome);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("keep-alive, Close")]
    public async Task An_answer_that_closes_the_connection_counts_and_the_next_post_opens_another(string connection)
    {
        await using var ingest = await IngestStub.StartAsync(async context =>
        {
            context.Response.Headers.Connection = connection;
            await IngestStub.Status(202, null, "{\"accepted\": 4, \"rejected\": []}")(context);
        });
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poster = new HttpConnection(ingest.Address, TimeProvider.System, TimeSpan.FromSeconds(10));

        var first = await poster.PostAsync(Lines, timeout.Token);
        var second = await poster.PostAsync(Lines.AsMemory(0, 9), timeout.Token);

        Assert.Equal((PostOutcome.Answered, 4, PostOutcome.Answered), (first.Outcome, first.Accepted, second.Outcome));
        Assert.Equal(2, ingest.Posts.Count);
    }

    [Theory]
    [InlineData("HTTP/1.1 202 Accepted\r\nConnection: keep-alive, Close\r\nContent-Length: 5\r\n\r\nhello", 202, "hello", null, true)]
    [InlineData("HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 202, "hello", null, true)]
    [InlineData(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 3\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        503,
        "hello",
        "3",
        false
    )]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", null, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", null, true)]
    public void A_response_is_whole_with_its_last_byte_and_not_before(string text, int status, string body, string? retryAfter, bool closes)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
            Assert.False(HttpResponse.TryParse(bytes.AsSpan(0, length), out _));

        Assert.True(HttpResponse.TryParse(bytes, out var response));
        Assert.Equal(
            (status, body, retryAfter, closes),
            (response.Status, Encoding.ASCII.GetString(response.Body), response.RetryAfter, response.Closes)
        );
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    public void What_is_no_response_is_an_error(string text) =>
        Assert.Throws<InvalidDataException>(() => HttpResponse.TryParse(Encoding.ASCII.GetBytes(text), out _));

    private static async Task<DeliveryResult> SendAsync(
        Wire wire,
        IngestStub ingest,
        byte[] lines,
        List<string>? complaints = null,
        TimeSpan? giveUpAfter = null
    )
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = new HttpClient();
        using var connection = new HttpConnection(ingest.Address, TimeProvider.System, TimeSpan.FromSeconds(10));
        IReadingsPoster poster = wire == Wire.Client ? new HttpClientPoster(client, ingest.Address, TimeProvider.System) : connection;
        return await new Delivery(
            poster,
            TimeProvider.System,
            giveUpAfter ?? TimeSpan.FromSeconds(20),
            complaints is null ? null : complaints.Add
        ).SendAsync(lines, timeout.Token);
    }
}
