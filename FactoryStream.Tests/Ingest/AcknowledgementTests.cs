using System.Net;
using Confluent.Kafka;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

public sealed class AcknowledgementTests
{
    [Fact]
    public async Task Before_Kafka_answers_requests_get_503()
    {
        await using var app = await StartAsync(partitions: 0);
        var answer = await app.PostAsync(Envelope());

        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "application/problem+json", TimeSpan.FromSeconds(1)),
            (answer.Status, answer.ContentType, answer.RetryAfter)
        );
    }

    [Fact]
    public async Task No_answer_comes_before_the_last_acknowledgement()
    {
        await using var app = await StartAsync(partitions: 12);
        app.Kafka.AcknowledgesItself = false;
        // Few enough to come in one piece.
        var answer = app.PostAsync(Enumerable.Range(0, 20).Select(engine => Envelope("f1", $"e{engine}")).Append("nonsense"));
        await UntilAsync(() => app.Kafka.Lines.Count == 20 && app.Kafka.To(TopicNames.Rejected).Count == 1);

        for (var waiting = app.Kafka.To(TopicNames.Signed).Count + 1; waiting > 0; waiting--)
        {
            Assert.False(answer.IsCompleted);
            app.Kafka.Acknowledge();
        }
        Assert.Equal((HttpStatusCode.Accepted, 20), ((await answer).Status, (await answer).Accepted));
    }

    [Fact]
    public async Task What_Kafka_does_not_acknowledge_is_not_accepted()
    {
        await using var app = await StartAsync(partitions: 12);
        app.Kafka.AcknowledgesItself = false;
        var engines = Enumerable.Range(0, 20).ToArray();
        var posted = app.PostAsync(engines.Select(engine => Envelope("f1", $"e{engine}")));
        await UntilAsync(() => app.Kafka.Lines.Count == engines.Length);
        var messages = app.Kafka.To(TopicNames.Signed);
        app.Kafka.Acknowledge(ErrorCode.Local_MsgTimedOut);
        foreach (var _ in messages.Skip(1))
            app.Kafka.Acknowledge();

        var answer = await posted;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1)), (answer.Status, answer.RetryAfter));
        Assert.Equal(engines.Length - messages[0].Lines.Count, answer.Accepted);
        Assert.Equal(0, app.Backlog.PendingBytes);
    }

    [Fact]
    public async Task A_line_whose_refusal_Kafka_does_not_keep_is_answered_503()
    {
        await using var app = await StartAsync();
        app.Kafka.Answer = ErrorCode.Local_MsgTimedOut;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync("nonsense")).Status);
    }

    [Fact]
    public async Task While_Kafka_is_away_requests_are_turned_away_at_once()
    {
        await using var app = await StartAsync(("RetryAfter", "01:00:00"));
        app.Kafka.Answer = ErrorCode.Local_MsgTimedOut;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync(Envelope())).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync(Envelope())).Status);
        Assert.Single(app.Kafka.Lines);

        app.Kafka.Answer = ErrorCode.NoError;
        app.Backlog.KafkaAnswers();
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task Now_and_then_a_request_is_let_through_to_find_out_whether_Kafka_is_back()
    {
        await using var app = await StartAsync(("RetryAfter", "00:00:01"));
        app.Kafka.Answer = ErrorCode.Local_MsgTimedOut;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.PostAsync(Envelope())).Status);
        app.Kafka.Answer = ErrorCode.NoError;
        using var timeout = new CancellationTokenSource(Patience);
        while ((await app.PostAsync(Envelope())).Status != HttpStatusCode.Accepted)
            await Task.Delay(20, timeout.Token);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task Lines_are_sent_to_Kafka_while_the_body_is_still_arriving()
    {
        await using var app = await StartAsync();
        var gate = new TaskCompletionSource();
        using var content = new StreamedContent([Envelope() + "\n", Envelope(value: 2)], gate.Task);
        var answer = app.PostAsync("application/x-ndjson", content);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        Assert.False(answer.IsCompleted);

        gate.SetResult();
        Assert.Equal(2, (await answer).Accepted);
    }

    [Fact]
    public async Task A_line_that_is_cut_off_by_its_client_is_not_taken()
    {
        await using var app = await StartAsync();
        using var gone = new CancellationTokenSource();
        using var content = new StreamedContent(
            [Envelope() + "\n" + Envelope(value: 2), "never"],
            Task.Delay(Timeout.Infinite, gone.Token)
        );
        var answer = app.PostAsync("application/x-ndjson", content, gone.Token);
        await UntilAsync(() => app.Kafka.Lines.Count == 1);
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal([Envelope()], app.Kafka.Lines);
        Assert.Empty(app.Kafka.To(TopicNames.Rejected));
    }
}
