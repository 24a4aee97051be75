using System.Data.Common;
using System.Text.Json;
using Confluent.Kafka;
using FactoryStream.Dashboard.Api;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Books;

/// <summary>The books as the pages show them.</summary>
/// <param name="Books">Null until they were drawn up for the first time.</param>
/// <param name="IsLive">False while they cannot be: then they are as they were.</param>
public sealed record LiveBooks(BooksAnswer? Books, bool IsLive);

/// <summary>Draws the books up again and again while a page shows them, once for all pages.</summary>
internal sealed class LiveBooksWorker(
    BooksReader reader, Latest<LiveBooks> latest, BooksWatchers watchers, IOptions<DashboardOptions> options, TimeProvider time, DashboardLog log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        byte[] shown = [];
        var isAway = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            await watchers.SomeoneAsync(stoppingToken);
            var begun = time.GetTimestamp();
            try
            {
                var books = await reader.ReadAsync(stoppingToken);
                var json = JsonSerializer.SerializeToUtf8Bytes(books, DashboardJson.Default.BooksAnswer);
                if (isAway)
                    log.BooksBack();
                if (isAway || !json.AsSpan().SequenceEqual(shown))
                    latest.Publish(new LiveBooks(books, IsLive: true));
                shown = json;
                isAway = false;
            }
            catch (Exception exception) when (exception is DbException or KafkaException or TimeoutException or InvalidOperationException { InnerException: DbException })
            {
                if (!isAway)
                {
                    log.BooksAway(exception.Message);
                    latest.Publish(latest.Current.Value with { IsLive = false });
                }
                isAway = true;
            }
            // A long backlog takes long to count: it is not counted for more than a fifth of the time.
            var pause = 4 * time.GetElapsedTime(begun);
            await Task.Delay(pause > options.Value.BooksInterval ? pause : options.Value.BooksInterval, time, stoppingToken);
        }
    }
}

/// <summary>How many pages show the books.</summary>
internal sealed class BooksWatchers
{
    private readonly Latest<int> count = new(0);
    private readonly Lock gate = new();

    public void Add(int change)
    {
        lock (gate)
            count.Publish(count.Current.Value + change);
    }

    /// <summary>Returns when there is one.</summary>
    public async Task SomeoneAsync(CancellationToken cancellation)
    {
        var (version, watching) = count.Current;
        while (watching == 0)
            (version, watching) = await count.AfterAsync(version, cancellation);
    }
}
