using System.IO.Pipelines;
using FactoryStream.Ingest.Messages;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FactoryStream.Ingest.Readings;

/// <summary><c>POST /readings</c>.</summary>
internal static class ReadingsEndpoints
{
    public static void MapReadings(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var handler = new Handler(
            services.GetRequiredService<SignedLog>(), services.GetRequiredService<Backlog>(), services.GetRequiredService<IntakePool>(),
            services.GetRequiredService<IOptions<IngestOptions>>().Value);
        // A delegate with a signature of its own, for the OpenAPI document; it binds nothing.
        routes.MapPost("/readings", (Delegate)handler.PostAsync)
            .WithName("PostReadings")
            .WithTags("readings")
            .WithSummary("Takes signed readings in.")
            .WithDescription(
                "Envelopes, a line each (application/x-ndjson), or as JSON (application/json): one, which may be pretty-printed, an array of them, or one a line. They are read as they come in. 202 means that Kafka has acknowledged every accepted one. "
                + $"An envelope is of one reading, {{\"data\": {{...}}, \"signature\": \"...\"}}, or of a batch, {{\"batch\": [{{...}}, ...], \"signature\": \"...\"}}: 1 to {FactoryStream.Contracts.ReadingParser.MaxBatchReadings} readings of one factory, signed together. 'accepted' counts readings, 'rejected' lines. "
                + "A refused line does not harm its neighbours. After 413, 429 or 503 the whole request may be sent again: what was accepted already is recognised as a duplicate.")
            .Produces<IngestAnswer>(StatusCodes.Status202Accepted)
            .Produces<IngestProblem>(StatusCodes.Status400BadRequest, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status413PayloadTooLarge, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status415UnsupportedMediaType, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status429TooManyRequests, "application/problem+json")
            .Produces<IngestProblem>(StatusCodes.Status503ServiceUnavailable, "application/problem+json")
            .WithMetadata(TakesEnvelopes.Instance);
    }

    /// <summary>Marks the operation whose body is envelopes, for the OpenAPI document: routing by content type would cost every request.</summary>
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

    private sealed class Handler(SignedLog signed, Backlog backlog, IntakePool intakes, IngestOptions options)
    {
        public async Task PostAsync(HttpContext context)
        {
            // The body is counted here, decompressed, and read as it comes; Kestrel's own limit would only cut it off without an answer.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
                limit.MaxRequestBodySize = null;

            var form = FormOf(context.Request.ContentType);
            if (form == Form.None || context.Request.Headers.ContentEncoding.Count > 0)
            {
                await IngestAnswer.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, options,
                    form == Form.None ? "Send application/x-ndjson (an envelope a line) or application/json (an envelope, or an array of them), in UTF-8." : "Content-Encoding may be gzip, br, deflate or identity.");
                return;
            }
            if (!signed.IsOpen || backlog.TurnsAway())
            {
                await IngestAnswer.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, options, "Kafka does not answer. Nothing was accepted.");
                return;
            }
            if (backlog.Check(0, 0) == Room.BacklogFull)
            {
                await IngestAnswer.WriteAsync(context, StatusCodes.Status429TooManyRequests, options, "Too many readings wait to be stored. Nothing was accepted.");
                return;
            }
            if (context.Request.ContentLength > options.MaxBodyBytes)
            {
                await IngestAnswer.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, options, $"A body may have {options.MaxBodyBytes} bytes. Nothing was accepted.");
                return;
            }

            var intake = intakes.Get();
            intake.Begin(IngestTracing.Current);
            var isCutOff = false;
            try
            {
                var body = context.Request.BodyReader;
                await (form == Form.Lines ? TakeLinesAsync(intake, body, context.RequestAborted) : TakeEnvelopesAsync(intake, body, context.RequestAborted));
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ConnectionAbortedException or InvalidDataException)
            {
                // The client is gone, or what it calls compressed is not: its last line is not taken, for it may be cut off in the middle.
                isCutOff = true;
            }
            await intake.WhenSettledAsync();
            if (isCutOff && !context.RequestAborted.IsCancellationRequested)
                await IngestAnswer.WriteAsync(context, intake, options, StatusCodes.Status400BadRequest, "The body was cut off or is not what its Content-Encoding says.");
            else if (!isCutOff)
                await IngestAnswer.WriteAsync(context, intake, options);
            intakes.Return(intake);
        }

        private async ValueTask TakeLinesAsync(Intake intake, PipeReader body, CancellationToken cancellationToken)
        {
            var size = 0L;
            while (true)
            {
                var result = await body.ReadAsync(cancellationToken);
                var buffer = result.Buffer;
                size += buffer.Length;
                if (size > options.MaxBodyBytes)
                {
                    intake.Stop = Stop.BodyTooLarge;
                    body.AdvanceTo(buffer.End);
                    return;
                }
                await intake.TakeAsync(buffer, cancellationToken);
                body.AdvanceTo(buffer.End);
                if (intake.Stop != Stop.None)
                    return;
                if (!result.IsCompleted)
                {
                    intake.Kick();
                    continue;
                }
                if (intake.Splitter.TryFinish(out var last))
                    await intake.TakeAsync(last, cancellationToken);
                return;
            }
        }

        private async ValueTask TakeEnvelopesAsync(Intake intake, PipeReader body, CancellationToken cancellationToken)
        {
            var size = 0L;
            while (true)
            {
                var result = await body.ReadAsync(cancellationToken);
                var buffer = result.Buffer;
                size += buffer.Length;
                if (size > options.MaxBodyBytes)
                    intake.Stop = Stop.BodyTooLarge;
                foreach (var segment in buffer)
                {
                    var rest = segment;
                    while (intake.Stop == Stop.None && intake.Envelopes.TryRead(ref rest, out var envelope))
                        await TakeAsync(envelope);
                }
                body.AdvanceTo(buffer.End);
                if (intake.Stop != Stop.None)
                    return;
                if (!result.IsCompleted)
                {
                    intake.Kick();
                    continue;
                }
                while (intake.Stop == Stop.None && intake.Envelopes.TryFinish(out var last))
                    await TakeAsync(last);
                return;
            }

            async ValueTask TakeAsync(Line envelope)
            {
                await intake.TakeAsync(envelope, cancellationToken);
                if (intake.Envelopes.IsTooLong && intake.Stop == Stop.None)
                    intake.Stop = Stop.EnvelopeTooLarge;
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
            if (parsed.MediaType.Equals("application/x-ndjson", StringComparison.OrdinalIgnoreCase) || parsed.MediaType.Equals("application/ndjson", StringComparison.OrdinalIgnoreCase))
                return Form.Lines;
            return parsed.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) ? Form.Envelope : Form.None;
        }
    }
}
