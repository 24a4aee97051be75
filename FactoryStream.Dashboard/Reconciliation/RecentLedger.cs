namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>The ledger for whoever asks: read once for all who ask meanwhile and for a moment after, since each reading may scan the log's
/// whole tail.</summary>
/// <param name="read">Reads it; a failure goes to all who wait for it and is not kept.</param>
/// <param name="maxAge">How long it is given again.</param>
/// <param name="time">The clock of that.</param>
/// <param name="stopping">Ends a reading; a client that leaves does not, for others may wait for the same.</param>
internal sealed class RecentLedger(
    Func<CancellationToken, Task<List<FactoryLedger>>> read,
    TimeSpan maxAge,
    TimeProvider time,
    CancellationToken stopping
)
{
    private readonly Lock gate = new();
    private Task<(List<FactoryLedger> Ledger, long ReadAt)>? last;

    public async Task<List<FactoryLedger>> GetAsync(CancellationToken cancellation)
    {
        Task<(List<FactoryLedger> Ledger, long ReadAt)> reading;
        lock (gate)
        {
            if (last is null || (last.IsCompleted && !(last.IsCompletedSuccessfully && time.GetElapsedTime(last.Result.ReadAt) < maxAge)))
                last = Task.Run(ReadAsync, CancellationToken.None);
            reading = last;
        }
        return (await reading.WaitAsync(cancellation)).Ledger;
    }

    private async Task<(List<FactoryLedger> Ledger, long ReadAt)> ReadAsync()
    {
        var ledger = await read(stopping);
        return (ledger, time.GetTimestamp());
    }
}
