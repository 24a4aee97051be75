using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FactoryStream.Ingest.Stream;

/// <summary><c>GET /stream</c>.</summary>
internal static class StreamEndpoints
{
    private const string Ndjson = "application/x-ndjson";
    private const string EventStream = "text/event-stream";

    public static void MapStream(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var handler = new Handler(
            services.GetRequiredService<StreamClients>(),
            services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<IOptions<IngestOptions>>().Value,
            services.GetRequiredService<TimeProvider>()
        );
        routes
            .MapGet("/stream", handler.GetAsync)
            .WithName("GetStream")
            .WithTags("readings")
            .WithSummary("The accepted readings, live.")
            .WithDescription(
                "Envelopes exactly as they were accepted, batches too, from now on, one a line (application/x-ndjson) or one an "
                    + "event (text/event-stream). A client that is too slow misses some and is told "
                    + "how many: {\"missed\": 17}, as an event named missed. A pretty-printed envelope cannot be told in a line "
                    + "and counts as missed. Silence is filled with empty lines or comments."
            )
            .Produces<string>(StatusCodes.Status200OK, Ndjson, EventStream)
            .ProducesProblem(StatusCodes.Status406NotAcceptable)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private sealed class Handler(StreamClients readings, IHostApplicationLifetime lifetime, IngestOptions options, TimeProvider time)
    {
        public async Task<IResult> GetAsync(
            HttpContext context,
            [System.ComponentModel.Description("Only this factory's readings.")] string? factory_id
        )
        {
            if (ChooseForm(context.Request) is not { } form)
                return TypedResults.Problem(
                    $"This is served as {Ndjson} or {EventStream}.",
                    statusCode: StatusCodes.Status406NotAcceptable
                );
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            StreamClient? client;
            try
            {
                client = await readings.SubscribeAsync(factory_id, ending.Token);
            }
            catch (TimeoutException)
            {
                return NotNow(context, StatusCodes.Status503ServiceUnavailable, "Kafka does not respond.");
            }
            catch (OperationCanceledException)
            {
                return NotNow(context, StatusCodes.Status503ServiceUnavailable, "Ingest stops.");
            }
            if (client is null)
                return NotNow(context, StatusCodes.Status429TooManyRequests, $"{options.MaxStreamClients} clients are listening already.");

            using (client)
            {
                context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
                context.Response.ContentType = form;
                context.Response.Headers.CacheControl = "no-store";
                try
                {
                    await WriteAsync(client, context.Response.BodyWriter, form == EventStream, ending.Token);
                }
                catch (OperationCanceledException) when (ending.IsCancellationRequested)
                {
                    // The client left, or Ingest stops.
                }
            }
            return Results.Empty;
        }

        private async Task WriteAsync(StreamClient client, PipeWriter body, bool isEvents, CancellationToken ending)
        {
            // The headers go at once, so that the client knows from when on it hears everything.
            body.Write(isEvents ? ":\n\n"u8 : "\n"u8);
            while (!(await body.FlushAsync(ending)).IsCompleted)
            {
                try
                {
                    await client.Messages.WaitToReadAsync(ending).AsTask().WaitAsync(options.StreamHeartbeat, time, ending);
                }
                catch (TimeoutException)
                {
                    body.Write(isEvents ? ":\n\n"u8 : "\n"u8);
                    continue;
                }
                // One message, one flush: what waits meanwhile is bounded by the queue alone.
                if (client.Messages.TryRead(out var message))
                    Write(client, message, body, isEvents);
            }
        }

        private static void Write(StreamClient client, StreamMessage message, PipeWriter body, bool isEvents)
        {
            for (var line = 0; line < message.Lines.Count; line++)
            {
                if (!client.Wants(message, line))
                    continue;
                var envelope = message.Lines[line].Span;
                // Its bytes are signed, so they must not be put in another form. An event may have several lines, but not every kind of
                // line break.
                if (isEvents ? envelope.Contains((byte)'\r') : envelope.Contains((byte)'\n'))
                {
                    client.Miss(message.ReadingsOf(line));
                    continue;
                }
                if (isEvents)
                {
                    foreach (var part in envelope.Split((byte)'\n'))
                    {
                        body.Write("data: "u8);
                        body.Write(envelope[part]);
                        body.Write("\n"u8);
                    }
                }
                else
                {
                    body.Write(envelope);
                }
                body.Write("\n"u8);
            }
            if (client.TakeMissed() is var missed and > 0)
            {
                var notice = string.Create(CultureInfo.InvariantCulture, $"{{\"missed\": {missed}}}\n");
                body.Write(Encoding.UTF8.GetBytes(isEvents ? $"event: missed\ndata: {notice}\n" : notice));
            }
        }

        private Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult NotNow(HttpContext context, int status, string detail) =>
            context.NotNow(status, detail, options.RetryAfter);

        // Sample: "text/event-stream, */*;q=0.1"
        private static string? ChooseForm(HttpRequest request)
        {
            if (request.Headers.Accept.Count == 0)
                return Ndjson;
            if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
                return null;
            foreach (var type in accepted.Where(type => type.Quality is null or > 0).OrderByDescending(type => type.Quality ?? 1))
            {
                if (type.MatchesMediaType(Ndjson))
                    return Ndjson;
                if (type.MatchesMediaType(EventStream))
                    return EventStream;
            }
            return null;
        }
    }
}
