using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

/// <summary>A request may last as long as its machine has something to say, and hears what is safe meanwhile.</summary>
public sealed class LongRequestTests
{
    [Fact]
    public async Task A_body_that_goes_idle_is_told_what_was_taken()
    {
        await using var app = await StartAsync(("BodyIdleTimeout", "00:00:00.3"));
        using var body = new Trickle();
        body.Send(Envelope() + "\n" + Envelope(value: 2)[..20]);
        var answer = await app.PostAsync("application/x-ndjson", body);

        Assert.Equal((HttpStatusCode.RequestTimeout, 1, 0), (answer.Status, answer.Accepted, answer.RejectedCount));
        Assert.Equal([Envelope()], app.Kafka.Lines);
    }

    [Fact]
    public async Task A_stop_ends_an_open_body_and_tells_what_was_taken()
    {
        await using var app = await StartAsync();
        using var body = new Trickle();
        body.Send(Envelope() + "\n");
        var posting = app.PostAsync("application/x-ndjson", body);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        var answer = await posting.WaitAsync(Patience);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, 1), (answer.Status, answer.Accepted));
    }

    [Fact]
    public async Task Requests_beyond_the_bound_are_asked_to_come_again()
    {
        await using var app = await StartAsync(("MaxOpenRequests", 1));
        using var body = new Trickle();
        body.Send(Envelope() + "\n");
        var posting = app.PostAsync("application/x-ndjson", body);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);

        var other = await app.PostAsync(Envelope());
        Assert.Equal((HttpStatusCode.TooManyRequests, 0, TimeSpan.FromSeconds(1)), (other.Status, other.Accepted, other.RetryAfter));
        body.End();
        Assert.Equal(HttpStatusCode.Accepted, (await posting.WaitAsync(Patience)).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task Lines_are_acknowledged_as_they_are_safe_while_the_body_still_comes()
    {
        await using var app = await StartAsync(("MaxLinesPerRequest", 2));
        using var body = new Trickle();
        using var client = app.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/readings") { Content = body };
        request.Headers.Accept.ParseAdd("application/x-ndjson");
        body.Send(Envelope() + "\nnonsense\n");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        using var answers = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal((HttpStatusCode.OK, "application/x-ndjson"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal((2, 1, 1), await NextAsync(answers));
        // Bounds of a request are those of what is not acknowledged yet: a stream may last.
        for (var line = 3; line < 10; line++)
        {
            body.Send(Envelope(value: line) + "\n");
            Assert.Equal((line, 1, 0), await NextAsync(answers));
        }
        body.End();
        Assert.Null(await answers.ReadLineAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_stream_that_cannot_go_on_says_so_last_of_all()
    {
        await using var app = await StartAsync(("BodyIdleTimeout", "00:00:00.3"));
        using var body = new Trickle();
        using var client = app.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/readings") { Content = body };
        request.Headers.Accept.ParseAdd("application/x-ndjson");
        body.Send(Envelope() + "\n");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        using var answers = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal((1, 1, 0), await NextAsync(answers));
        var last = JsonDocument.Parse((await answers.ReadLineAsync().WaitAsync(Patience))!).RootElement;
        Assert.Equal((408, 0), (last.GetProperty("status").GetInt32(), last.GetProperty("accepted").GetInt32()));
        Assert.Null(await answers.ReadLineAsync().WaitAsync(Patience));
    }

    private static async Task<(int ThroughLine, int Accepted, int Rejected)> NextAsync(StreamReader answers)
    {
        var answer = JsonDocument.Parse((await answers.ReadLineAsync().WaitAsync(Patience))!).RootElement;
        return (
            answer.GetProperty("through_line").GetInt32(),
            answer.GetProperty("accepted").GetInt32(),
            answer.GetProperty("rejected_count").GetInt32()
        );
    }

    /// <summary>A body that comes when the test says so.</summary>
    private sealed class Trickle : HttpContent
    {
        private readonly Channel<string> pieces = Channel.CreateUnbounded<string>();

        public Trickle() => Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");

        public void Send(string piece) => pieces.Writer.TryWrite(piece);

        public void End() => pieces.Writer.TryComplete();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancellationToken))
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(piece), cancellationToken);
                await stream.FlushAsync(cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            End();
            base.Dispose(disposing);
        }
    }
}
