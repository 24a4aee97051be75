using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.Dashboard;

/// <summary>What a webhook's receiver was sent.</summary>
internal sealed record ReceivedMessage(string Delivery, string Timestamp, string Signature, byte[] Body)
{
    public string Event => JsonDocument.Parse(Body).RootElement.GetProperty("event").GetString()!;
}

/// <summary>A webhook's receiver, on a real connection: it gives the answers given, then 204 to everything, and remembers it.</summary>
internal sealed class ReceiverStub : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Action<HttpResponse>> script;

    private ReceiverStub(WebApplication app, IEnumerable<Action<HttpResponse>> answers) => (this.app, script) = (app, new(answers));

    public Uri Address { get; private set; } = null!;

    /// <summary>In the order in which they came, whatever was answered.</summary>
    public ConcurrentQueue<ReceivedMessage> Messages { get; } = new();

    public static async Task<ReceiverStub> StartAsync(params Action<HttpResponse>[] answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var stub = new ReceiverStub(builder.Build(), answers);
        stub.app.MapFallback(stub.AnswerAsync);
        await stub.app.StartAsync();
        var addresses = stub.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        stub.Address = new Uri(new Uri(addresses.Addresses.First()), "/alerts?for=plant");
        return stub;
    }

    /// <summary>An answer with a status.</summary>
    public static Action<HttpResponse> Status(int status) => response => response.StatusCode = status;

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers;
        Messages.Enqueue(
            new(
                headers["FactoryStream-Delivery"].ToString(),
                headers["FactoryStream-Timestamp"].ToString(),
                headers["FactoryStream-Signature"].ToString(),
                body.ToArray()
            )
        );
        if (script.TryDequeue(out var answer))
            answer(context.Response);
        else
            context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
