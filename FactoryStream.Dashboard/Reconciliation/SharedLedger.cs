using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>The ledger as the pages show it: read once for all pages, and only while one asks.</summary>
internal sealed class SharedLedger : IDisposable
{
    private readonly SharedRead<LedgerState> shared;

    public SharedLedger(RecentLedger ledger, IOptions<DashboardOptions> options, TimeProvider time, DashboardLog log) =>
        shared = new(
            async cancellation => new(await ledger.GetAsync(cancellation), null, time.GetTimestamp()),
            new([], null),
            options.Value.LedgerInterval,
            log.LedgerUnavailable,
            time
        );

    /// <summary>The ledger, or why there is none; at most <see cref="DashboardOptions.LedgerInterval"/> old.</summary>
    public async Task<LedgerState> GetAsync(CancellationToken cancellation)
    {
        var (state, failure) = await shared.GetAsync(cancellation);
        return state with { Failure = failure };
    }

    public void Dispose() => shared.Dispose();
}

/// <summary>The last ledger that could be read, why there is no newer one (null: it is new), and the clock's timestamp of it.</summary>
internal sealed record LedgerState(IReadOnlyList<FactoryLedger> Factories, string? Failure, long ReadAt = 0);
