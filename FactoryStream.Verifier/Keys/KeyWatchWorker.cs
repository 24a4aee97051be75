using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Verifier.Keys;

/// <summary>Keeps the <see cref="KeyRing"/> true: at once on a notification, and every poll interval, for a notification is lost with its connection.</summary>
internal sealed class KeyWatchWorker(KeyRing keys, NpgsqlDataSource database, IOptions<VerifierOptions> options, TimeProvider time, VerifierLog log) : BackgroundService
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

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

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        var isLost = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                await using (var listen = new NpgsqlCommand($"LISTEN {KeyStore.Channel}", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                isLost = false;
                while (true)
                {
                    // Before the first wait as well: what changed while nobody listened was told to nobody.
                    await keys.RefreshAsync(time.GetTimestamp(), stoppingToken);
                    await connection.WaitAsync(stoppingToken);
                }
            }
            catch (NpgsqlException exception)
            {
                if (!isLost)
                    log.ListenerLost(exception);
                isLost = true;
                await Task.Delay(RetryDelay, time, stoppingToken);
            }
        }
    }
}
