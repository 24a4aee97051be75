using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace FactoryStream.Ingest.Http;

/// <summary>
/// The answer of a <c>POST /readings</c> that asks for <c>application/x-ndjson</c>: a line each time that all lines so far are safe, while
/// the body still comes. So a machine may send for days in one request and forget what was acknowledged. Samples:
/// <c>{"through_line":120,"accepted":119,"rejected":[{"line":17,"reason":"malformed","detail":"..."}],"rejected_count":1}</c>, each line
/// counting from the one before; and, where Ingest cannot go on, last of all
/// <c>{"status":429,"detail":"...","through_line":150,"accepted":12,...}</c>: what stands behind the last line without a status is to be
/// sent again, in another request.
/// </summary>
internal static class AcknowledgedStream
{
    public const string MediaType = "application/x-ndjson";

    /// <summary>Whether a request asks for it.</summary>
    public static bool IsWanted(HttpRequest request)
    {
        foreach (var accept in request.Headers.Accept)
        {
            if (accept is not null && accept.Contains(MediaType, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    public static async Task RunAsync(HttpContext context, RequestReader reader, RequestBody body, IngestOptions options)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = MediaType;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.StartAsync(context.RequestAborted);
        var writer = context.Response.BodyWriter;
        var isEnded = false;
        while (!isEnded)
        {
            try
            {
                var result = await body.ReadAsync();
                await reader.TakeAsync(result.Buffer, context.RequestAborted);
                body.Used(result);
                isEnded = result.IsCompleted;
                if (isEnded && reader.Splitter.TryFinish(out var last))
                    await reader.TakeAsync(last, context.RequestAborted);
            }
            catch (BodyEndedException exception)
            {
                reader.Stop = exception.Reason;
            }
            catch (Exception exception) when (IngestAnswer.IsCutOff(exception))
            {
                reader.Stop = Stop.CutOff;
            }
            await reader.WhenCompletedAsync();
            var (status, detail) = IngestAnswer.Of(reader, options);
            var isGood = status is StatusCodes.Status202Accepted || (reader.Stop == Stop.None && reader.Delivery.Failed == 0);
            if (reader.LineCount > 0 || !isGood)
                Write(writer, reader, isGood ? null : status, detail);
            if ((await writer.FlushAsync()).IsCompleted || !isGood)
                return;
            reader.Continue();
        }
    }

    private static void Write(IBufferWriter<byte> writer, RequestReader reader, int? status, string? detail)
    {
        using (var json = new Utf8JsonWriter(writer))
        {
            json.WriteStartObject();
            if (status is { } number)
            {
                json.WriteNumber("status"u8, number);
                json.WriteString("detail"u8, detail);
            }
            json.WriteNumber("through_line"u8, reader.Splitter.Number);
            IngestAnswer.WriteOutcome(json, reader);
            json.WriteEndObject();
        }
        writer.Write("\n"u8);
    }
}
