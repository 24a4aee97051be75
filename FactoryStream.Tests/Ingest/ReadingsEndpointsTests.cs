using System.IO.Compression;
using System.Net;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Messages;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;
using Partitioner = FactoryStream.Contracts.Partitioner;

namespace FactoryStream.Tests.Ingest;

public sealed class ReadingsEndpointsTests
{
    [Fact]
    public async Task A_lone_reading_is_a_message_with_its_engines_key()
    {
        await using var app = await StartAsync();
        var answer = await app.PostAsync("application/json; charset=UTF-8", Encoding.UTF8.GetBytes(Envelope()));

        Assert.Equal(
            (HttpStatusCode.Accepted, "application/json", """{"accepted":1,"rejected":[],"rejected_count":0}"""),
            (answer.Status, answer.ContentType, answer.Body.GetRawText())
        );
        var message = Assert.Single(app.Kafka.To(Topics.Signed));
        Assert.Equal((Envelope(), "f1/e1", Partitioner.Partition("f1", "e1", 4)), (message.Value, message.Key, message.Partition));
        Assert.Null(message[MessageHeaders.Framing]);
    }

    [Fact]
    public async Task A_pretty_printed_envelope_keeps_every_byte()
    {
        var pretty =
            "{\r\n  \"data\": {\r\n    \"factory_id\": \"f1\",\r\n\t\"engine_id\": \"e1\", \"timestamp\": \"2026-02-25 "
            + "06:13:20\",\n \"rpm\": 1.50e3 },\r\n  \"signature\": \"c2ln\"\r\n}";
        await using var app = await StartAsync();
        var answer = await app.PostAsync("application/json", Encoding.UTF8.GetBytes($"\r\n  {pretty}\r\n"));

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        var message = Assert.Single(app.Kafka.To(Topics.Signed));
        Assert.Equal((pretty, MessageHeaders.FramingSingle), (message.Value, message[MessageHeaders.Framing]));
    }

    [Fact]
    public async Task Lines_of_a_partition_share_a_message_in_their_order()
    {
        await using var app = await StartAsync(partitions: 1);
        string[] lines = [Envelope("f1", "e1", 1), Envelope("f1", "e2", 2), Envelope("f2", "e1", 3)];
        var answer = await app.PostAsync(lines);

        Assert.Equal((HttpStatusCode.Accepted, 3), (answer.Status, answer.Accepted));
        var message = Assert.Single(app.Kafka.To(Topics.Signed));
        Assert.Equal(string.Join('\n', lines), message.Value);
        Assert.Null(message.Key);
    }

    [Fact]
    public async Task Every_reading_goes_to_its_engines_partition()
    {
        await using var app = await StartAsync(partitions: 12);
        var engines = Enumerable.Range(0, 200).Select(engine => $"e{engine}").ToArray();
        await app.PostAsync(engines.Select(engine => Envelope("f1", engine)));

        var placed = app
            .Kafka.To(Topics.Signed)
            .SelectMany(message => message.Lines.Select(line => (line, message.Partition)))
            .ToDictionary();
        Assert.Equal(engines.ToDictionary(engine => Envelope("f1", engine), engine => Partitioner.Partition("f1", engine, 12)), placed);
    }

    [Fact]
    public async Task Line_ends_and_empty_lines_do_not_matter_but_count()
    {
        await using var app = await StartAsync(partitions: 1);
        var answer = await app.PostAsync(
            "application/x-ndjson",
            Encoding.UTF8.GetBytes($"\r\n{Envelope()}\r\n\n \t\nnonsense\r\n  {Envelope(value: 2)}  ")
        );

        Assert.Equal(2, answer.Accepted);
        Assert.Equal(["5 malformed"], answer.Rejected);
        Assert.Equal([Envelope(), Envelope(value: 2)], app.Kafka.Lines);
    }

    [Fact]
    public async Task Malformed_lines_are_refused_with_their_reason_and_harm_no_neighbour()
    {
        var lines = File.ReadAllLines(TestData.File("signed-readings/rejected.tsv")).Select(line => line.Split('\t')).ToArray();
        await using var app = await StartAsync();
        var body = lines.SelectMany(line => (string[])[Envelope("before"), line[1], Envelope("after")]).ToArray();
        var answer = await app.PostAsync(body);

        var malformed = lines.Index().Where(line => line.Item[0].StartsWith("malformed", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(malformed);
        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        Assert.Equal(malformed.Select(line => $"{line.Index * 3 + 2} malformed"), answer.Rejected);
        Assert.Equal(body.Length - malformed.Length, answer.Accepted);
        Assert.Equal(answer.Accepted, app.Kafka.Lines.Count);

        var kept = app.Kafka.To(Topics.Rejected);
        Assert.Equal(malformed.Select(line => line.Item[1]), kept.Select(message => message.Value));
        Assert.All(
            kept,
            message => Assert.Equal(("malformed", "ingest"), (message[MessageHeaders.Reason], message[MessageHeaders.RejectedBy]))
        );
        Assert.Contains(
            kept,
            message =>
                message[MessageHeaders.FactoryId] == "factory_001"
                && message[MessageHeaders.Detail]!.StartsWith("timestamp: expected 2026-02-25T06:13:20Z, found '", StringComparison.Ordinal)
        );
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", kept[0][MessageHeaders.RejectedAt]);
    }

    [Fact]
    public async Task Real_readings_arrive_byte_for_byte()
    {
        string[] files = ["valid-max-salt.ndjson", "valid-digest-salt.ndjson"];
        var lines = files.SelectMany(file => File.ReadAllLines(TestData.File($"signed-readings/{file}"))).ToArray();
        await using var app = await StartAsync();
        var answer = await app.PostAsync(lines);

        Assert.Equal(lines.Length, answer.Accepted);
        Assert.Equal(lines.Order(StringComparer.Ordinal), app.Kafka.Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused_and_only_its_beginning_kept()
    {
        await using var app = await StartAsync(("MaxLineBytes", 8_192));
        var answer = await app.PostAsync(Envelope(), new string('x', 100_000), Envelope(value: 2), new string(' ', 10_000) + "y");

        Assert.Equal((HttpStatusCode.Accepted, 2), (answer.Status, answer.Accepted));
        Assert.Equal(["2 too_large", "4 too_large"], answer.Rejected);
        Assert.Equal(new string('x', 4_096), app.Kafka.To(Topics.Rejected)[0].Value);
    }

    [Fact]
    public async Task A_body_without_a_good_line_is_a_bad_request_with_the_same_members()
    {
        await using var app = await StartAsync();
        var answer = await app.PostAsync("nonsense", "[1]");

        Assert.Equal(
            (HttpStatusCode.BadRequest, "application/problem+json", 0, 2),
            (answer.Status, answer.ContentType, answer.Accepted, answer.RejectedCount)
        );
        Assert.Equal(["1 malformed", "2 malformed"], answer.Rejected);
        Assert.Equal(400, answer.Body.GetProperty("status").GetInt32());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    public async Task An_empty_body_is_a_bad_request(string contentType)
    {
        await using var app = await StartAsync();
        Assert.Equal((HttpStatusCode.BadRequest, 0), ((await app.PostAsync(contentType, [])).Status, app.Kafka.To(Topics.Rejected).Count));
    }

    [Theory]
    [InlineData("text/plain", null)]
    [InlineData("application/json; charset=utf-16", null)]
    [InlineData("application/json", "zstd")]
    public async Task What_cannot_be_read_is_an_unsupported_media_type(string contentType, string? encoding)
    {
        await using var app = await StartAsync();
        var answer = await app.PostAsync(contentType, Encoding.UTF8.GetBytes(Envelope()), encoding);

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "application/problem+json"), (answer.Status, answer.ContentType));
        Assert.Empty(app.Kafka.Lines);
    }

    [Fact]
    public async Task A_compressed_body_is_unpacked()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(Envelope()));
        await using var app = await StartAsync();

        Assert.Equal(1, (await app.PostAsync("application/x-ndjson", packed.ToArray(), "gzip")).Accepted);
        Assert.Equal([Envelope()], app.Kafka.Lines);
    }

    [Fact]
    public async Task A_body_that_only_claims_to_be_compressed_is_a_bad_request()
    {
        await using var app = await StartAsync();
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await app.PostAsync("application/x-ndjson", Encoding.UTF8.GetBytes(Envelope()), "gzip")).Status
        );
        Assert.Empty(app.Kafka.Lines);
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
        Assert.Equal("too_large", Assert.Single(app.Kafka.To(Topics.Rejected))[MessageHeaders.Reason]);
    }

    [Fact]
    public async Task A_flood_of_refusals_is_cut_off_and_the_list_of_them_is_bounded()
    {
        await using var app = await StartAsync(("MaxRefusedPerRequest", 5), ("MaxRejectedListed", 2));
        var answer = await app.PostAsync([Envelope(), .. Enumerable.Repeat("nonsense", 100), Envelope()]);

        Assert.Equal((HttpStatusCode.BadRequest, 1, 5), (answer.Status, answer.Accepted, answer.RejectedCount));
        Assert.Equal(["2 malformed", "3 malformed"], answer.Rejected);
        Assert.Equal(5, app.Kafka.To(Topics.Rejected).Count);
    }

    [Fact]
    public async Task Before_Kafka_is_known_there_is_no_service()
    {
        await using var app = await StartAsync(partitions: 0);
        var answer = await app.PostAsync(Envelope());

        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "application/problem+json", TimeSpan.FromSeconds(1)),
            (answer.Status, answer.ContentType, answer.RetryAfter)
        );
    }

    [Fact]
    public async Task No_answer_comes_before_the_last_acknowledgement()
    {
        await using var app = await StartAsync(partitions: 12);
        app.Kafka.AcknowledgesItself = false;
        // Few enough to come in one piece.
        var answer = app.PostAsync(Enumerable.Range(0, 20).Select(engine => Envelope("f1", $"e{engine}")).Append("nonsense"));
        await UntilAsync(() => app.Kafka.Lines.Count == 20 && app.Kafka.To(Topics.Rejected).Count == 1);

        for (var waiting = app.Kafka.To(Topics.Signed).Count + 1; waiting > 0; waiting--)
        {
            Assert.False(answer.IsCompleted);
            app.Kafka.Acknowledge();
        }
        Assert.Equal((HttpStatusCode.Accepted, 20), ((await answer).Status, (await answer).Accepted));
    }

    [Fact]
    public async Task What_Kafka_does_not_acknowledge_is_not_accepted()
    {
        await using var app = await StartAsync(partitions: 12);
        app.Kafka.AcknowledgesItself = false;
        var engines = Enumerable.Range(0, 20).ToArray();
        var posted = app.PostAsync(engines.Select(engine => Envelope("f1", $"e{engine}")));
        await UntilAsync(() => app.Kafka.Lines.Count == engines.Length);
        var messages = app.Kafka.To(Topics.Signed);
        app.Kafka.Acknowledge(ErrorCode.Local_MsgTimedOut);
        foreach (var _ in messages.Skip(1))
            app.Kafka.Acknowledge();

        var answer = await posted;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1)), (answer.Status, answer.RetryAfter));
        Assert.Equal(engines.Length - messages[0].Lines.Count, answer.Accepted);
        Assert.Equal(0, app.Backlog.PendingBytes);
    }

    [Fact]
    public async Task A_refusal_that_cannot_be_kept_is_no_refusal()
    {
        await using var app = await StartAsync();
        app.Kafka.Answer = ErrorCode.Local_MsgTimedOut;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync("nonsense")).Status);
    }

    [Fact]
    public async Task While_Kafka_is_away_requests_are_turned_away_at_once()
    {
        await using var app = await StartAsync(("RetryAfter", "01:00:00"));
        app.Kafka.Answer = ErrorCode.Local_MsgTimedOut;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync(Envelope())).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync(Envelope())).Status);
        Assert.Single(app.Kafka.Lines);

        app.Kafka.Answer = ErrorCode.NoError;
        app.Backlog.KafkaAnswers();
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task Now_and_then_a_request_is_let_through_to_find_out_whether_Kafka_is_back()
    {
        await using var app = await StartAsync(("RetryAfter", "00:00:01"));
        app.Kafka.Answer = ErrorCode.Local_MsgTimedOut;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync(Envelope())).Status);
        app.Kafka.Answer = ErrorCode.NoError;
        using var timeout = new CancellationTokenSource(Patience);
        while ((await app.PostAsync(Envelope())).Status != HttpStatusCode.Accepted)
            await Task.Delay(20, timeout.Token);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task A_full_backlog_asks_machines_to_wait()
    {
        await using var app = await StartAsync(("MaxBacklogReadings", 3), ("RoomTimeout", "00:00:00.050"));
        var cut = await app.PostAsync(Enumerable.Range(0, 5).Select(value => Envelope(value: value)));
        var turnedAway = await app.PostAsync(Envelope());

        Assert.Equal((HttpStatusCode.TooManyRequests, 3, TimeSpan.FromSeconds(1)), (cut.Status, cut.Accepted, cut.RetryAfter));
        Assert.Equal((HttpStatusCode.TooManyRequests, 0), (turnedAway.Status, turnedAway.Accepted));

        // All of the partition is stored.
        app.Services.GetRequiredService<SignedLog>().Partitions![Partitioner.Partition("f1", "e1", 4)].Observe(long.MaxValue, 0);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task A_request_under_way_goes_on_when_room_comes()
    {
        await using var app = await StartAsync(1, ("MaxBacklogReadings", 3));
        var answer = app.PostAsync(Enumerable.Range(0, 5).Select(value => Envelope(value: value)));
        await UntilAsync(() => app.Backlog is { Readings: 3, PendingBytes: 0 });
        Assert.False(answer.IsCompleted);

        app.Services.GetRequiredService<SignedLog>().Partitions![0].Observe(1, 1);
        app.Backlog.Looked();
        Assert.Equal((HttpStatusCode.Accepted, 5), ((await answer).Status, (await answer).Accepted));
    }

    [Fact]
    public async Task A_broker_in_memory_is_never_given_more_of_a_partition_than_it_keeps()
    {
        await using var app = await StartAsync(2, ("MaxPartitionBytes", 1 << 20), ("RoomTimeout", "00:00:00"));
        var padding = new string(' ', 1_000);
        var full = Enumerable.Range(0, 50).First(engine => Partitioner.Partition("f1", $"e{engine}", 2) == 0);
        var other = Enumerable.Range(0, 50).First(engine => Partitioner.Partition("f1", $"e{engine}", 2) == 1);
        var answer = await app.PostAsync(
            Enumerable.Repeat(Envelope("f1", $"e{full}").Replace("}, ", $"}},{padding}", StringComparison.Ordinal), 2_000)
        );

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.Status);
        Assert.InRange(app.Kafka.To(Topics.Signed).Sum(message => message.Message.Value.Length), 1_000_000, (1 << 20) + 10_000);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope("f1", $"e{other}"))).Status);
    }

    [Fact]
    public async Task Lines_go_on_their_way_while_the_body_is_still_coming()
    {
        await using var app = await StartAsync();
        var gate = new TaskCompletionSource();
        using var content = new StreamedContent([Envelope() + "\n", Envelope(value: 2)], gate.Task);
        var answer = app.PostAsync("application/x-ndjson", content);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        Assert.False(answer.IsCompleted);

        gate.SetResult();
        Assert.Equal(2, (await answer).Accepted);
    }

    [Fact]
    public async Task A_line_that_is_cut_off_by_its_client_is_not_taken()
    {
        await using var app = await StartAsync();
        using var gone = new CancellationTokenSource();
        using var content = new StreamedContent(
            [Envelope() + "\n" + Envelope(value: 2), "never"],
            Task.Delay(Timeout.Infinite, gone.Token)
        );
        var answer = app.PostAsync("application/x-ndjson", content, gone.Token);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal([Envelope()], app.Kafka.Lines);
        Assert.Empty(app.Kafka.To(Topics.Rejected));
    }

    [Fact]
    public async Task The_OpenAPI_document_describes_the_envelope_and_the_answers()
    {
        await using var app = await StartAsync();
        using var client = app.Client();
        var document = System.Text.Json.JsonDocument.Parse(await client.GetStringAsync("/openapi/v1.json")).RootElement;
        var post = document.GetProperty("paths").GetProperty("/readings").GetProperty("post");

        Assert.Equal(
            ["application/json", "application/x-ndjson"],
            post.GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(type => type.Name)
        );
        Assert.Equal(
            ["202", "400", "408", "413", "415", "429", "503"],
            post.GetProperty("responses").EnumerateObject().Select(status => status.Name)
        );
        Assert.Contains("rejected_count", document.GetRawText(), StringComparison.Ordinal);
        Assert.True(document.GetProperty("paths").TryGetProperty("/stream", out _));
    }
}

/// <summary>A body that comes piece by piece, the second and later ones when the gate opens.</summary>
internal sealed class StreamedContent(IEnumerable<string> pieces, Task? gate = null) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var isFirst = true;
        foreach (var piece in pieces)
        {
            if (!isFirst && gate is not null)
                await gate;
            isFirst = false;
            await stream.WriteAsync(Encoding.UTF8.GetBytes(piece));
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
