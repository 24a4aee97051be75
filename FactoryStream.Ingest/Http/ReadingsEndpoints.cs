using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FactoryStream.Ingest.Http;

/// <summary><c>POST /readings</c>.</summary>
internal static class ReadingsEndpoints
{
    public static void MapReadings(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var handler = new Handler(
            services.GetRequiredService<SignedTopicWriter>(),
            services.GetRequiredService<Backlog>(),
            services.GetRequiredService<RequestReaderPool>(),
            services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<IOptions<IngestOptions>>().Value
        );
        // A delegate with a signature of its own, for the OpenAPI document; it binds nothing.
        routes
            .MapPost("/readings", (Delegate)handler.PostAsync)
            .WithName("PostReadings")
            .WithTags("readings")
            .WithSummary("Takes signed readings in.")
            .WithDescription(
                "Envelopes, a line each (application/x-ndjson), or as JSON (application/json): one, which may be pretty-printed, "
                    + "an array of them, or one a line. They are read as they come in. 202 means that Kafka has acknowledged every "
                    + "accepted one. "
                    + $"An envelope is of one reading, {{\"data\": {{...}}, \"signature\": \"...\"}}, or of a batch, {{\"batch\": "
                    + $"[{{...}}, ...], \"signature\": \"...\"}}: 1 to {FactoryStream.Contracts.ReadingParser.MaxBatchReadings} "
                    + "readings of one factory, signed together. 'accepted' counts readings, 'rejected' lines. "
                    + "A request that says 'Accept: application/x-ndjson' is answered while its lines come, with a line each time "
                    + "that all so far are safe; it may last for days. "
                    + "A refused line does not harm its neighbours. After 413, 429 or 503 the whole request may be sent again: "
                    + "what was accepted already is recognised as a duplicate."
            )
            .Produces<IngestAnswer>(StatusCodes.Status202Accepted)
            .Produces<IngestProblem>(StatusCodes.Status400BadRequest, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status408RequestTimeout, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status413PayloadTooLarge, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status415UnsupportedMediaType, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status429TooManyRequests, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status503ServiceUnavailable, "application/problem+json")
            .WithMetadata(TakesEnvelopes.Instance);
    }

    /// <summary>
    /// Marks the operation whose body is envelopes, for the OpenAPI document: routing by content type would cost every request.
    /// </summary>
    internal sealed class TakesEnvelopes
    {
        public static TakesEnvelopes Instance { get; } = new();
    }

    private enum Form
    {
        None,
        Envelope,
        Lines,
    }

    private sealed class Handler(
        SignedTopicWriter signed,
        Backlog backlog,
        RequestReaderPool readers,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        IngestOptions options
    )
    {
        private int open;

        public async Task PostAsync(HttpContext context)
        {
            var form = FormOf(context.Request.ContentType);
            if (form == Form.None || context.Request.Headers.ContentEncoding.Count > 0)
            {
                await IngestAnswer.WriteAsync(
                    context,
                    StatusCodes.Status415UnsupportedMediaType,
                    options,
                    form == Form.None
                        ? "Send application/x-ndjson (an envelope a line) or application/json (an envelope, or an array of them), in UTF-8."
                        : "Content-Encoding may be gzip, br, deflate or identity."
                );
                return;
            }
            if (backlog.Refusal is { } refusal)
            {
                await IngestAnswer.WriteAsync(
                    context,
                    StatusCodes.Status503ServiceUnavailable,
                    options,
                    $"{refusal} Nothing was accepted."
                );
                return;
            }
            if (!signed.IsOpen || backlog.TurnsAway())
            {
                await IngestAnswer.WriteAsync(
                    context,
                    StatusCodes.Status503ServiceUnavailable,
                    options,
                    "Kafka does not respond. Nothing was accepted."
                );
                return;
            }
            if (backlog.Check(0, 0) == Admission.BacklogFull)
            {
                await IngestAnswer.WriteAsync(
                    context,
                    StatusCodes.Status429TooManyRequests,
                    options,
                    "Too many readings wait to be stored. Nothing was accepted."
                );
                return;
            }
            if (context.Request.ContentLength > options.MaxBodyBytes)
            {
                await IngestAnswer.WriteAsync(
                    context,
                    StatusCodes.Status413PayloadTooLarge,
                    options,
                    $"A body may have {options.MaxBodyBytes} bytes. Nothing was accepted."
                );
                return;
            }

            if (Interlocked.Increment(ref open) > options.MaxOpenRequests)
            {
                Interlocked.Decrement(ref open);
                await IngestAnswer.WriteAsync(
                    context,
                    StatusCodes.Status429TooManyRequests,
                    options,
                    $"{options.MaxOpenRequests} requests are being read. Nothing was accepted."
                );
                return;
            }
            try
            {
                var reader = readers.Get();
                reader.Begin(IngestTracing.Current);
                var body = new RequestBody(
                    context.Request.BodyReader,
                    options.BodyIdleTimeout,
                    time,
                    context.RequestAborted,
                    lifetime.ApplicationStopping
                );
                if (form == Form.Lines && AcknowledgedStream.IsWanted(context.Request))
                    await AcknowledgedStream.RunAsync(context, reader, body, options);
                else
                    await TakeAsync(context, reader, body, form);
                readers.Return(reader);
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        }

        private async Task TakeAsync(HttpContext context, RequestReader reader, RequestBody body, Form form)
        {
            try
            {
                await (
                    form == Form.Lines
                        ? TakeLinesAsync(reader, body, context.RequestAborted)
                        : TakeEnvelopesAsync(reader, body, context.RequestAborted)
                );
            }
            catch (BodyEndedException exception)
            {
                reader.Stop = exception.Reason;
            }
            catch (Exception exception) when (IngestAnswer.IsCutOff(exception))
            {
                // Its last line is not taken, for it may be cut off in the middle.
                reader.Stop = Stop.CutOff;
            }
            await reader.WhenCompletedAsync();
            if (!context.RequestAborted.IsCancellationRequested)
                await IngestAnswer.WriteAsync(context, reader, options);
        }

        private async ValueTask TakeLinesAsync(RequestReader reader, RequestBody body, CancellationToken cancellationToken)
        {
            var size = 0L;
            while (true)
            {
                var result = await body.ReadAsync();
                size += result.Buffer.Length;
                if (size > options.MaxBodyBytes)
                    reader.Stop = Stop.BodyTooLarge;
                else
                    await reader.TakeAsync(result.Buffer, cancellationToken);
                body.Used(result);
                if (reader.Stop != Stop.None)
                    return;
                if (!result.IsCompleted)
                {
                    reader.Flush();
                    continue;
                }
                if (reader.Splitter.TryFinish(out var last))
                    await reader.TakeAsync(last, cancellationToken);
                return;
            }
        }

        private async ValueTask TakeEnvelopesAsync(RequestReader reader, RequestBody body, CancellationToken cancellationToken)
        {
            var size = 0L;
            while (true)
            {
                var result = await body.ReadAsync();
                size += result.Buffer.Length;
                if (size > options.MaxBodyBytes)
                    reader.Stop = Stop.BodyTooLarge;
                foreach (var segment in result.Buffer)
                {
                    var rest = segment;
                    while (reader.Stop == Stop.None && reader.Envelopes.TryRead(ref rest, out var envelope))
                        await TakeAsync(envelope);
                }
                body.Used(result);
                if (reader.Stop != Stop.None)
                    return;
                if (!result.IsCompleted)
                {
                    reader.Flush();
                    continue;
                }
                while (reader.Stop == Stop.None && reader.Envelopes.TryFinish(out var last))
                    await TakeAsync(last);
                return;
            }

            async ValueTask TakeAsync(Line envelope)
            {
                await reader.TakeAsync(envelope, cancellationToken);
                if (reader.Envelopes.IsTooLong && reader.Stop == Stop.None)
                    reader.Stop = Stop.EnvelopeTooLarge;
            }
        }

        // Sample: "application/x-ndjson; charset=utf-8"
        private static Form FormOf(string? contentType)
        {
            if (contentType is null)
                return Form.None;
            if (contentType == "application/x-ndjson")
                return Form.Lines;
            if (contentType == "application/json" || contentType == "application/json; charset=utf-8")
                return Form.Envelope;
            if (!MediaTypeHeaderValue.TryParse(contentType, out var parsed))
                return Form.None;
            if (parsed.Charset.HasValue && !parsed.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
                return Form.None;
            if (
                parsed.MediaType.Equals("application/x-ndjson", StringComparison.OrdinalIgnoreCase)
                || parsed.MediaType.Equals("application/ndjson", StringComparison.OrdinalIgnoreCase)
            )
                return Form.Lines;
            return parsed.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) ? Form.Envelope : Form.None;
        }
    }
}
