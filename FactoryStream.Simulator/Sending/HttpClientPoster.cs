using System.Net.Http.Headers;

namespace FactoryStream.Simulator.Sending;

/// <summary>Posts by <see cref="HttpClient"/>: traced, and at home with proxies and certificates.</summary>
internal sealed class HttpClientPoster(HttpClient client, Uri ingest, TimeProvider time) : IReadingsPoster
{
    private static readonly MediaTypeHeaderValue Ndjson = new("application/x-ndjson");
    private readonly Uri address = new(ingest, "readings");

    public async ValueTask<PostAnswer> PostAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new ReadOnlyMemoryContent(lines);
            content.Headers.ContentType = Ndjson;
            using var response = await client.PostAsync(address, content, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return PostAnswer.From((int)response.StatusCode, response.Headers.RetryAfter?.ToString(), body, time.GetUtcNow());
        }
        catch (Exception exception)
            when (exception is HttpRequestException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return PostAnswer.Broken($"Ingest at {ingest} does not respond: {exception.Message}");
        }
    }
}
