using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>The ledger as the pages show it: read once for all pages, and only while one asks.</summary>
internal sealed class SharedLedger(RecentLedger ledger, IOptions<DashboardOptions> options, TimeProvider time, DashboardLog log)
    : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private LedgerState state = new([], "The ledger is being read.");
    private long? readAt;

    /// <summary>The ledger, or why there is none; at most <see cref="DashboardOptions.LedgerInterval"/> old.</summary>
    public async Task<LedgerState> GetAsync(CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            if (readAt is { } moment && time.GetElapsedTime(moment) < options.Value.LedgerInterval)
                return state;
            try
            {
                state = new(await ledger.GetAsync(cancellation), null, time.GetTimestamp());
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
            {
                if (state.Failure is null)
                    log.LedgerUnavailable(exception.Message);
                state = state with { Failure = reason };
            }
            readAt = time.GetTimestamp();
            return state;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}

/// <summary>The last ledger that could be read, why there is no newer one (null: it is new), and the clock's timestamp of it.</summary>
internal sealed record LedgerState(IReadOnlyList<FactoryLedger> Factories, string? Failure, long ReadAt = 0);
