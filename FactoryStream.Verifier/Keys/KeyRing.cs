using System.Data.Common;

namespace FactoryStream.Verifier.Keys;

/// <summary>The keys that verdicts are given by: a snapshot in memory, and when it was last known to be what the database says.</summary>
internal sealed class KeyRing(IKeyStore store, TimeProvider time, VerifierMetrics metrics, VerifierLog log) : IDisposable
{
    private readonly SemaphoreSlim loading = new(1);
    private bool isAway;
    private volatile State state = new(KeySnapshot.Empty, null, Fingerprint: "", default, 0);

    /// <summary>The keys, empty before the first load.</summary>
    public KeySnapshot Current => state.Keys;

    public bool IsLoaded => state.ConfirmedAt is not null;

    /// <summary>How long ago the database last confirmed the keys; null: never.</summary>
    public TimeSpan? Age => state.ConfirmedAt is { } confirmedAt ? time.GetElapsedTime(confirmedAt) : null;

    /// <summary>What the database's clock says by now, as it was last read; null: never.</summary>
    public DateTime? DatabaseClock => state is { ConfirmedAt: not null } read ? read.Clock + time.GetElapsedTime(read.ClockReadAt) : null;

    /// <summary>Whether the keys are at least as new as that moment (<see cref="TimeProvider.GetTimestamp"/>).</summary>
    public bool IsAsOf(long timestamp) => state.ConfirmedAt is { } confirmedAt && confirmedAt >= timestamp;

    /// <summary>Makes the keys at least as new as that moment. False when the database does not respond: try again later.</summary>
    public async Task<bool> RefreshAsync(long timestamp, CancellationToken cancellationToken)
    {
        await loading.WaitAsync(cancellationToken);
        try
        {
            if (IsAsOf(timestamp))
                return true;
            var asked = time.GetTimestamp();
            var fingerprint = await store.FingerprintAsync(cancellationToken);
            var readAt = time.GetTimestamp();
            if (!IsLoaded || fingerprint.Text != state.Fingerprint)
            {
                // The fingerprint is the older of the two: what came in between is loaded once more, never missed.
                var loaded = new KeySnapshot(await store.LoadAsync(state.Keys, cancellationToken));
                state = new(loaded, asked, fingerprint.Text, fingerprint.Clock, readAt);
                metrics.KeysLoaded(state.Keys.Count);
                log.KeysLoaded(state.Keys.Count);
            }
            else
            {
                state = state with { ConfirmedAt = asked, Clock = fingerprint.Clock, ClockReadAt = readAt };
            }
            if (isAway)
                log.DatabaseBack();
            isAway = false;
            return true;
        }
        catch (Exception exception)
            when (exception is DbException or TimeoutException or InvalidOperationException { InnerException: DbException })
        {
            if (!isAway)
                log.DatabaseAway(exception);
            isAway = true;
            return false;
        }
        finally
        {
            loading.Release();
        }
    }

    public void Dispose() => loading.Dispose();

    private sealed record State(KeySnapshot Keys, long? ConfirmedAt, string Fingerprint, DateTime Clock, long ClockReadAt);
}
