using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.Simulator;

/// <summary>
/// Ingest and Verifier as a client sees them, on a real connection: it plays the answers given, then says 202 to everything and remembers
/// it.
/// </summary>
internal sealed class IngestStub : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Func<HttpContext, Task>> script = new();

    private IngestStub(WebApplication app) => this.app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>The bodies of all POSTs to /readings, in order, whatever was answered.</summary>
    public ConcurrentQueue<byte[]> Posts { get; } = new();

    /// <summary>The bodies that were answered 202.</summary>
    public ConcurrentQueue<byte[]> Accepted { get; } = new();

    public ConcurrentQueue<(string? Authorization, string Body)> Enrolments { get; } = new();

    public IEnumerable<string> AcceptedLines =>
        Accepted.SelectMany(body => Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>While true, every POST is answered 503.</summary>
    public volatile bool IsAway;

    public static async Task<IngestStub> StartAsync(params IEnumerable<Func<HttpContext, Task>> answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var stub = new IngestStub(app);
        foreach (var answer in answers)
            stub.script.Enqueue(answer);
        app.MapPost("/readings", stub.AnswerAsync);
        app.MapPost(
            "/keys",
            async (HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                stub.Enrolments.Enqueue((context.Request.Headers.Authorization, await reader.ReadToEndAsync()));
                context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer wrong" ? 401 : 201;
            }
        );
        await app.StartAsync();
        stub.Address = new Uri(
            app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/"
        );
        return stub;
    }

    public static Func<HttpContext, Task> Status(int status, string? retryAfter = null, string body = "") =>
        async context =>
        {
            context.Response.StatusCode = status;
            if (retryAfter is not null)
                context.Response.Headers.RetryAfter = retryAfter;
            await context.Response.WriteAsync(body);
        };

    /// <summary>The connection breaks after the body was read: the client cannot know whether its readings are safe.</summary>
    public static Task Reset(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private static int CountReadings(byte[] body)
    {
        var parser = new FactoryStream.Contracts.ReadingParser();
        return FactoryStream
            .Contracts.MessageLines.Split(body, single: false)
            .Sum(line =>
            {
                parser.TryParse(line, out var reading, out _);
                return reading.Count;
            });
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        Posts.Enqueue(body);
        if (IsAway)
        {
            await Status(503, "0")(context);
            return;
        }
        if (script.TryDequeue(out var answer))
        {
            await answer(context);
            return;
        }
        Accepted.Enqueue(body);
        context.Response.StatusCode = 202;
        await context.Response.WriteAsync($$"""{"accepted":{{CountReadings(body)}},"rejected":[]}""");
    }
}
