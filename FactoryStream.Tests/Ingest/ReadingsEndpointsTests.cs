using System.Net;
using System.Text;
using FactoryStream.Contracts;
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
        var message = Assert.Single(app.Kafka.To(TopicNames.Signed));
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
        var message = Assert.Single(app.Kafka.To(TopicNames.Signed));
        Assert.Equal((pretty, MessageHeaders.FramingSingle), (message.Value, message[MessageHeaders.Framing]));
    }

    [Fact]
    public async Task Lines_of_a_partition_share_a_message_in_their_order()
    {
        await using var app = await StartAsync(partitions: 1);
        string[] lines = [Envelope("f1", "e1", 1), Envelope("f1", "e2", 2), Envelope("f2", "e1", 3)];
        var answer = await app.PostAsync(lines);

        Assert.Equal((HttpStatusCode.Accepted, 3), (answer.Status, answer.Accepted));
        var message = Assert.Single(app.Kafka.To(TopicNames.Signed));
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
            .Kafka.To(TopicNames.Signed)
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

        var kept = app.Kafka.To(TopicNames.Rejected);
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
