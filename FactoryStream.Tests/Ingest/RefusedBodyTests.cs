using System.IO.Compression;
using System.Net;
using System.Text;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class RefusedBodyTests
{
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
        Assert.Equal(
            (HttpStatusCode.BadRequest, 0),
            ((await app.PostAsync(contentType, [])).Status, app.Kafka.To(TopicNames.Rejected).Count)
        );
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
}
