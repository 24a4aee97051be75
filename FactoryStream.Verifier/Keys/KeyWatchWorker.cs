using FactoryStream.ServiceDefaults.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Verifier.Keys;

/// <summary>
/// Keeps the <see cref="KeyRing"/> true: at once on a notification, and every poll interval, for a notification is lost with its
/// connection.
/// </summary>
internal sealed class KeyWatchWorker(
    KeyRing keys,
    NpgsqlDataSource database,
    IOptions<VerifierOptions> options,
    TimeProvider time,
    VerifierLog log
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The poll does not depend on the listener's connection: either alone keeps the promise. But one that failed in an unforeseen way
        // must not go unnoticed for as long as the other runs, so it ends both.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] loops = [PollAsync(ending.Token), ListenAsync(ending.Token)];
        try
        {
            await await Task.WhenAny(loops);
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PollAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var loaded = await keys.RefreshAsync(time.GetTimestamp(), stoppingToken);
            await Task.Delay(loaded ? options.Value.KeyPollInterval : TimeSpan.FromMilliseconds(500), time, stoppingToken);
        }
    }

    private Task ListenAsync(CancellationToken stoppingToken) =>
        new NotificationListener(database, KeyStore.Channel, time)
        {
            Began = RefreshAsync,
            Notified = (_, cancellationToken) => RefreshAsync(cancellationToken),
            Lost = log.ListenerLost,
            Unheard = log.NotificationsNotHeard,
        }.RunAsync(stoppingToken);

    private Task<bool> RefreshAsync(CancellationToken cancellationToken) => keys.RefreshAsync(time.GetTimestamp(), cancellationToken);
}
