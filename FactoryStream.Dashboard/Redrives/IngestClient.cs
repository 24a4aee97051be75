using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>What Ingest says to a request, or that it does not respond.</summary>
/// <param name="Status">The HTTP status; null: there was no answer.</param>
/// <param name="Accepted">Readings that are safe, whatever the status.</param>
/// <param name="RefusedLines">Lines that it has refused.</param>
/// <param name="RetryAfter">How long it asks to be left alone.</param>
/// <param name="Detail">Why it is not 202, in Ingest's words; null: it is, or there are none.</param>
internal readonly record struct IngestAnswer(HttpStatusCode? Status, int Accepted, int RefusedLines, TimeSpan? RetryAfter, string? Detail);

/// <summary>Ingest's <c>POST /readings</c>, found by service discovery.</summary>
internal sealed class IngestClient(IHttpClientFactory clients)
{
    /// <summary>The name of the HTTP client.</summary>
    public const string Name = "ingest";

    private const string Lines = "application/x-ndjson";

    // May have line breaks in it.
    private const string Envelope = "application/json";

    /// <summary>Posts lines in one request.</summary>
    /// <param name="lines">Without line breaks in them, or a single one.</param>
    /// <param name="cancellation">Ends the wait for the answer.</param>
    public async Task<IngestAnswer> PostAsync(IReadOnlyList<byte[]> lines, CancellationToken cancellation)
    {
        using var client = clients.CreateClient(Name);
        using var body = new MemoryStream();
        foreach (var line in lines)
        {
            body.Write(line);
            body.WriteByte((byte)'\n');
        }
        using var content = new ByteArrayContent(body.GetBuffer(), 0, (int)body.Length);
        content.Headers.ContentType = new MediaTypeHeaderValue(lines.Any(HasLineBreak) ? Envelope : Lines);
        try
        {
            using var response = await client.PostAsync("/readings", content, cancellation);
            var answer = await ReadAsync(response, cancellation);
            return new(
                response.StatusCode,
                answer?.Accepted ?? 0,
                answer?.RejectedCount ?? 0,
                response.Headers.RetryAfter?.Delta,
                answer?.Detail
            );
        }
        catch (Exception exception)
            when (exception is HttpRequestException || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new(null, 0, 0, null, exception.Message);
        }
    }

    /// <summary>Whether a line can share no request with others.</summary>
    public static bool HasLineBreak(byte[] line) => line.AsSpan().Contains((byte)'\n');

    // Samples: {"accepted":2,"rejected":[],"rejected_count":0}, {"status":429,"detail":"...","accepted":0,"rejected":[]}
    private static async Task<IngestJsonAnswer?> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellation);
        try
        {
            return JsonSerializer.Deserialize(body, IngestJson.Default.IngestJsonAnswer);
        }
        catch (JsonException)
        {
            // Something between the two may answer in another form; its status says enough.
            return null;
        }
    }
}

/// <summary>The members of Ingest's answers and problems that are of use here.</summary>
internal sealed record IngestJsonAnswer(int Accepted, int RejectedCount, string? Detail);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IngestJsonAnswer))]
internal sealed partial class IngestJson : JsonSerializerContext;
