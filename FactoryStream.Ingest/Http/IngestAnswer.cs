using System.Buffers;
using System.Text.Json;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;

namespace FactoryStream.Ingest.Http;

/// <summary>What <c>POST /readings</c> answers.</summary>
/// <param name="Accepted">Readings that are safe in Kafka; a batch counts as many as it holds.</param>
/// <param name="Rejected">The refused lines, the first of them if there are many.</param>
/// <param name="RejectedCount">How many lines were refused; a batch is one.</param>
/// <param name="Warnings">Members of accepted lines that are no numbers and so no metrics, the first ten; absent where there are
/// none.</param>
internal record IngestAnswer(
    int Accepted,
    IReadOnlyList<IngestAnswer.Line> Rejected,
    int RejectedCount,
    IReadOnlyList<IngestAnswer.Warning>? Warnings
)
{
    /// <summary>A member that is kept in the signed bytes and is no metric.</summary>
    /// <param name="Number">Its line, from 1.</param>
    /// <param name="Member">Its name.</param>
    /// <param name="Detail">Why it is no metric.</param>
    internal sealed record Warning(
        [property: System.Text.Json.Serialization.JsonPropertyName("line")] int Number,
        string Member,
        string Detail
    );

    /// <summary>A refused line.</summary>
    /// <param name="Number">From 1.</param>
    /// <param name="Reason"><c>malformed</c> or <c>too_large</c>.</param>
    /// <param name="Detail">What is wrong, in words.</param>
    internal sealed record Line(
        [property: System.Text.Json.Serialization.JsonPropertyName("line")] int Number,
        string Reason,
        string Detail
    );

    // The answer is built by hand: on the fast path it is 40 bytes, and nothing is allocated for it.
    [ThreadStatic]
    private static Utf8JsonWriter? cachedWriter;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? cachedBuffer;

    /// <summary>The answer to a body that was taken in, as far as it was.</summary>
    public static Task WriteAsync(HttpContext context, RequestReader reader, IngestOptions options)
    {
        var (status, detail) = Of(reader, options);
        return WriteAsync(context, reader, options, status, detail);
    }

    /// <summary>Whether reading a body ended because the client is gone, or because what it calls compressed is not.</summary>
    public static bool IsCutOff(Exception exception) =>
        exception is IOException or OperationCanceledException or ConnectionAbortedException or InvalidDataException;

    /// <summary>The status of a body that was taken in, as far as it was, and why it is not 202.</summary>
    public static (int Status, string? Detail) Of(RequestReader reader, IngestOptions options)
    {
        if (reader.Delivery.Failed > 0)
            return (StatusCodes.Status503ServiceUnavailable, $"Kafka did not acknowledge {reader.Delivery.Failed} readings.");
        return reader.Stop switch
        {
            Stop.KafkaSlow => (
                StatusCodes.Status503ServiceUnavailable,
                $"Kafka is slow or away; only the first {reader.LineCount} lines were looked at."
            ),
            Stop.BacklogFull => (
                StatusCodes.Status429TooManyRequests,
                $"Too many readings wait to be stored; only the first {reader.LineCount} lines were looked at."
            ),
            Stop.RetentionNear => (
                StatusCodes.Status429TooManyRequests,
                "A partition has so many readings to be stored that Kafka would soon drop some (retention.bytes); "
                    + $"only the first {reader.LineCount} lines were looked at."
            ),
            Stop.PartitionsChanged => (
                StatusCodes.Status503ServiceUnavailable,
                $"{reader.Refusal} Only the first {reader.LineCount} lines were looked at."
            ),
            Stop.UnknownShareFull => (
                StatusCodes.Status429TooManyRequests,
                $"Too many readings of factories without a key wait to be verified; only the first {reader.LineCount} lines were looked at."
            ),
            Stop.TooManyLines => (
                StatusCodes.Status413PayloadTooLarge,
                $"A request may have {options.MaxLinesPerRequest} lines; the others were not looked at."
            ),
            Stop.BodyTooLarge => (
                StatusCodes.Status413PayloadTooLarge,
                $"A body may have {options.MaxBodyBytes} bytes; only the first {reader.LineCount} lines were looked at."
            ),
            Stop.EnvelopeTooLarge => (StatusCodes.Status413PayloadTooLarge, $"An envelope may have {options.MaxLineBytes} bytes."),
            Stop.TooManyRefused => (
                StatusCodes.Status400BadRequest,
                $"{reader.RejectedCount} lines were refused; only the first {reader.LineCount} were looked at."
            ),
            Stop.Idle => (
                StatusCodes.Status408RequestTimeout,
                $"Nothing came for {options.BodyIdleTimeout}; only the first {reader.LineCount} lines were looked at."
            ),
            Stop.Ending => (
                StatusCodes.Status503ServiceUnavailable,
                $"Ingest stops; only the first {reader.LineCount} lines were looked at."
            ),
            Stop.CutOff => (StatusCodes.Status400BadRequest, "The body was cut off or is not what its Content-Encoding says."),
            _ when reader.Delivery.Acknowledged > 0 => (StatusCodes.Status202Accepted, null),
            _ when reader.LineCount == 0 => (StatusCodes.Status400BadRequest, "The body has no reading."),
            _ when reader.TooLargeCount == reader.RejectedCount => (
                StatusCodes.Status413PayloadTooLarge,
                $"A line may have {options.MaxLineBytes} bytes."
            ),
            _ => (StatusCodes.Status400BadRequest, "No line was accepted."),
        };
    }

    /// <summary>An error before anything was taken in.</summary>
    public static Task WriteAsync(HttpContext context, int status, IngestOptions options, string detail) =>
        WriteAsync(context, null, options, status, detail);

    /// <summary>What became of the lines, as members of the object under way.</summary>
    public static void WriteOutcome(Utf8JsonWriter json, RequestReader? reader)
    {
        json.WriteNumber("accepted"u8, reader?.Delivery.Acknowledged ?? 0);
        json.WriteStartArray("rejected"u8);
        foreach (var (line, reason, words) in reader?.Rejected ?? [])
        {
            json.WriteStartObject();
            json.WriteNumber("line"u8, line);
            json.WriteString("reason"u8, reason.ToName());
            json.WriteString("detail"u8, words);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("rejected_count"u8, reader?.RejectedCount ?? 0);
        if (reader is { Warnings.Count: > 0 })
        {
            json.WriteStartArray("warnings"u8);
            foreach (var (line, member) in reader.Warnings)
            {
                json.WriteStartObject();
                json.WriteNumber("line"u8, line);
                json.WriteString("member"u8, member);
                json.WriteString("detail"u8, "no number: it is kept in the signed bytes and is no metric"u8);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }

    /// <summary>The answer of a status; with a detail it is an RFC 9457 problem with the answer's members.</summary>
    public static Task WriteAsync(HttpContext context, RequestReader? reader, IngestOptions options, int status, string? detail)
    {
        var buffer = cachedBuffer ??= new ArrayBufferWriter<byte>(512);
        var json = cachedWriter ??= new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        buffer.ResetWrittenCount();
        json.Reset();

        json.WriteStartObject();
        if (detail is not null)
        {
            json.WriteString("type"u8, "about:blank"u8);
            json.WriteString("title"u8, ReasonPhrases.GetReasonPhrase(status));
            json.WriteNumber("status"u8, status);
            json.WriteString("detail"u8, detail);
        }
        WriteOutcome(json, reader);
        json.WriteEndObject();
        json.Flush();

        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = detail is null ? "application/json" : "application/problem+json";
        response.ContentLength = buffer.WrittenCount;
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
            response.AskToRetryAfter(options.RetryAfter);
        // Copied before it returns, so the buffer is free for the thread's next answer.
        response.BodyWriter.Write(buffer.WrittenSpan);
        return Task.CompletedTask;
    }
}

/// <summary>The problem that <c>POST /readings</c> answers: RFC 9457 with the members of <see cref="IngestAnswer"/>.</summary>
internal sealed record IngestProblem(
    string Type,
    string Title,
    int Status,
    string Detail,
    int Accepted,
    IReadOnlyList<IngestAnswer.Line> Rejected,
    int RejectedCount,
    IReadOnlyList<IngestAnswer.Warning>? Warnings
);
