using System.Net;
using System.Text;
using FactoryStream.Ingest.Stream;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class StreamTests
{
    [Fact]
    public async Task Without_Accept_the_stream_is_lines()
    {
        await using var app = await StartAsync();
        using var stream = await LiveStream.OpenAsync(app, "/stream", accept: null);
        Assert.Equal("application/x-ndjson", stream.ContentType);
        Assert.Equal("", await stream.ReadLineAsync());

        stream.Readings.Broadcast(Encoding.UTF8.GetBytes($"{Envelope()}\n{Envelope("f2")}"), isSingle: false);
        Assert.Equal([Envelope(), Envelope("f2")], await stream.ReadLinesAsync(2));
    }

    [Fact]
    public async Task Events_come_to_those_who_accept_them()
    {
        await using var app = await StartAsync();
        using var stream = await LiveStream.OpenAsync(app, "/stream", "text/event-stream, application/x-ndjson;q=0.5");
        Assert.Equal("text/event-stream", stream.ContentType);
        Assert.Equal([":", ""], await stream.ReadLinesAsync(2));

        stream.Readings.Broadcast(Encoding.UTF8.GetBytes(Envelope()), isSingle: false);
        stream.Readings.Broadcast("{\n}"u8.ToArray(), isSingle: true);
        Assert.Equal([$"data: {Envelope()}", "", "data: {", "data: }", ""], await stream.ReadLinesAsync(5));
    }

    [Fact]
    public async Task A_stream_of_one_factory_has_no_others_readings()
    {
        await using var app = await StartAsync();
        using var stream = await LiveStream.OpenAsync(app, "/stream?factory_id=f2", "application/x-ndjson");
        await stream.ReadLineAsync();

        stream.Readings.Broadcast(Encoding.UTF8.GetBytes(Envelope()), isSingle: false);
        stream.Readings.Broadcast(Encoding.UTF8.GetBytes($"{Envelope()}\n{Envelope("f2")}"), isSingle: false);
        Assert.Equal(Envelope("f2"), await stream.ReadLineAsync());
    }

    [Fact]
    public async Task What_does_not_fit_in_a_line_is_counted_as_missed()
    {
        await using var app = await StartAsync();
        using var stream = await LiveStream.OpenAsync(app, "/stream", "application/x-ndjson");
        await stream.ReadLineAsync();

        stream.Readings.Broadcast(Encoding.UTF8.GetBytes(Envelope().Replace(", ", ",\n", StringComparison.Ordinal)), isSingle: true);
        Assert.Equal("""{"missed": 1}""", await stream.ReadLineAsync());
    }

    [Fact]
    public async Task A_batch_is_sent_as_it_came_and_counts_as_missed_with_each_of_its_readings()
    {
        await using var app = await StartAsync();
        using var stream = await LiveStream.OpenAsync(app, "/stream?factory_id=f2", "application/x-ndjson");
        await stream.ReadLineAsync();
        var batch = Batch("f2", "e1", "e2", "e3");

        stream.Readings.Broadcast(Encoding.UTF8.GetBytes($"{Batch("f1", "e1")}\n{batch}"), isSingle: false);
        Assert.Equal(batch, await stream.ReadLineAsync());
        stream.Readings.Broadcast(Encoding.UTF8.GetBytes(batch.Replace(",  ", ",\n", StringComparison.Ordinal)), isSingle: true);
        Assert.Equal("""{"missed": 3}""", await stream.ReadLineAsync());
    }

    [Fact]
    public async Task A_slow_client_misses_the_oldest_and_learns_how_many()
    {
        await using var app = await StartAsync(("StreamBufferMessages", 2));
        var readings = app.Services.GetRequiredService<StreamClients>();
        readings.Listening();
        using var client = (await readings.SubscribeAsync(null, CancellationToken.None))!;
        for (var message = 0; message < 5; message++)
            readings.Broadcast(Encoding.UTF8.GetBytes($"{message}a\n{message}b"), isSingle: false);

        Assert.Equal(6, client.TakeMissed());
        Assert.Equal(0, client.TakeMissed());
        Assert.True(client.Messages.TryRead(out var oldest));
        Assert.Equal("3a", Encoding.UTF8.GetString(oldest.Lines[0].Span));
    }

    [Fact]
    public async Task A_silent_stream_sends_empty_lines()
    {
        await using var app = await StartAsync(("StreamHeartbeat", "00:00:00.020"));
        using var stream = await LiveStream.OpenAsync(app, "/stream", "application/x-ndjson");
        Assert.Equal(["", "", ""], await stream.ReadLinesAsync(3));
    }

    [Fact]
    public async Task Other_media_types_are_not_acceptable_and_the_number_of_clients_is_bounded()
    {
        await using var app = await StartAsync(("MaxStreamClients", 1));
        using var client = app.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/stream") { Headers = { { "Accept", "image/png" } } };
        using var unacceptable = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotAcceptable, unacceptable.StatusCode);

        using var stream = await LiveStream.OpenAsync(app, "/stream", null);
        using var tooMany = await client.GetAsync("/stream");
        Assert.Equal(
            (HttpStatusCode.TooManyRequests, "application/problem+json"),
            (tooMany.StatusCode, tooMany.Content.Headers.ContentType?.MediaType)
        );
        Assert.NotNull(tooMany.Headers.RetryAfter);
    }

    [Fact]
    public async Task Streams_end_when_Ingest_stops()
    {
        var app = await StartAsync();
        using var stream = await LiveStream.OpenAsync(app, "/stream", null);
        await stream.ReadLineAsync();
        await app.DisposeAsync();
        Assert.Null(await stream.ReadLineAsync());
    }

    private sealed class LiveStream(HttpClient client, HttpResponseMessage response, StreamReader reader, StreamClients readings)
        : IDisposable
    {
        public StreamClients Readings => readings;

        public string? ContentType => response.Content.Headers.ContentType?.MediaType;

        public static async Task<LiveStream> OpenAsync(IngestApp app, string path, string? accept)
        {
            var readings = app.Services.GetRequiredService<StreamClients>();
            readings.Listening();
            var client = app.Client();
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (accept is not null)
                request.Headers.Add("Accept", accept);
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return new LiveStream(client, response, new StreamReader(await response.Content.ReadAsStreamAsync()), readings);
        }

        public async Task<string?> ReadLineAsync()
        {
            using var timeout = new CancellationTokenSource(Patience);
            return await reader.ReadLineAsync(timeout.Token);
        }

        public async Task<IEnumerable<string?>> ReadLinesAsync(int count)
        {
            var lines = new string?[count];
            for (var line = 0; line < count; line++)
                lines[line] = await ReadLineAsync();
            return lines;
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
            client.Dispose();
        }
    }
}
