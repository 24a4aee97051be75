namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>The ledger for whoever asks; each reading may scan the log's whole tail.</summary>
internal sealed class RecentLedger(
    Func<CancellationToken, Task<List<FactoryLedger>>> read,
    TimeSpan maxAge,
    TimeProvider time,
    CancellationToken stopping
) : Recent<List<FactoryLedger>>(read, maxAge, time, stopping);
