using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Sources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class SourceTests
{
    [Theory]
    [InlineData("{\"data\": 1}", "{\"data\": 1}")]
    [InlineData("data: {}", "{}")]
    [InlineData("data:{}", "{}")]
    [InlineData("data:", null)]
    [InlineData(": keep-alive", null)]
    [InlineData("event: reading", null)]
    [InlineData("id: 7", null)]
    [InlineData("retry: 1000", null)]
    [InlineData("nonsense", "nonsense")]
    public void Events_are_unwrapped(string line, string? envelope)
    {
        var has = ServerSentEvents.TryUnwrap(System.Text.Encoding.UTF8.GetBytes(line), out var bytes);
        Assert.Equal(envelope, has ? System.Text.Encoding.UTF8.GetString(bytes.Span) : null);
    }

    [Fact]
    public async Task A_source_is_pulled_and_connected_to_again_whenever_it_ends()
    {
        var connections = 0;
        await using var factory = await FactoryAsync(async context =>
        {
            var connection = Interlocked.Increment(ref connections);
            if (connection == 2)
            {
                context.Response.StatusCode = 500;
                return;
            }
            // As the Python factories say, though it is lines.
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"{Envelope(value: connection)}\nnonsense\n\ndata: {Envelope(value: 100 + connection)}\n\n");
            await context.Response.Body.FlushAsync();
            if (connection == 3)
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(1, ("Sources:0", Address(factory)), ("SourceMinDelay", "00:00:00.010"), ("SourceMaxDelay", "00:00:00.020"));
        await UntilAsync(() => app.Kafka.Lines.Count == 4);

        Assert.Equal([Envelope(value: 1), Envelope(value: 101), Envelope(value: 3), Envelope(value: 103)], app.Kafka.Lines);
        await UntilAsync(() => app.Kafka.To(Topics.Rejected).Count == 2);
        Assert.Equal(["nonsense", "nonsense"], app.Kafka.To(Topics.Rejected).Select(message => message.Value));
    }

    [Fact]
    public async Task A_source_that_fell_silent_is_connected_to_anew()
    {
        var connections = 0;
        await using var factory = await FactoryAsync(async context =>
        {
            await context.Response.WriteAsync($"{Envelope(value: Interlocked.Increment(ref connections))}\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(1, ("Sources:0", Address(factory)), ("SourceIdleTimeout", "00:00:01"), ("SourceMinDelay", "00:00:00.010"));
        await UntilAsync(() => app.Kafka.Lines.Count >= 2);
        Assert.Equal([Envelope(value: 1), Envelope(value: 2)], app.Kafka.Lines.Take(2));
    }

    [Fact]
    public async Task What_was_pulled_is_given_to_Kafka_until_Kafka_has_it()
    {
        await using var factory = await FactoryAsync(async context =>
        {
            await context.Response.WriteAsync($"{Envelope(value: 1)}\n{Envelope(value: 2)}\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var app = await StartAsync(0, ("Sources:0", Address(factory)), ("SourceMinDelay", "00:00:00.010"));
        app.Kafka.AcknowledgesItself = false;
        app.Open(1);
        await UntilAsync(() => app.Kafka.Lines.Count == 2);
        app.Kafka.Acknowledge(ErrorCode.Local_MsgTimedOut);
        // Kafka is away: nothing more is given to it until it answers.
        await UntilAsync(() => app.Backlog.IsKafkaAway);
        app.Backlog.KafkaAnswers();
        await UntilAsync(() => app.Kafka.Lines.Count == 4);
        app.Kafka.Acknowledge();

        Assert.Equal([Envelope(value: 1), Envelope(value: 2)], app.Kafka.Lines.Skip(2));
    }

    private static string Address(WebApplication factory) => $"{factory.Urls.First()}/stream";

    private static async Task<WebApplication> FactoryAsync(RequestDelegate stream)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/stream", stream);
        await app.StartAsync();
        return app;
    }
}
