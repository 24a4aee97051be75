using FactoryStream.Dashboard.Api;

namespace FactoryStream.Dashboard.Books;

/// <summary>The books for whoever asks: read once for all who ask meanwhile and for a moment after, since each reading may scan the log's
/// whole tail.</summary>
/// <param name="read">Reads them; a failure goes to all who wait for it and is not kept.</param>
/// <param name="maxAge">How long they are given again.</param>
/// <param name="time">The clock of that.</param>
/// <param name="stopping">Ends a reading; a client that leaves does not, for others may wait for the same.</param>
internal sealed class RecentBooks(
    Func<CancellationToken, Task<List<FactoryBooks>>> read,
    TimeSpan maxAge,
    TimeProvider time,
    CancellationToken stopping
)
{
    private readonly Lock gate = new();
    private Task<(List<FactoryBooks> Books, long ReadAt)>? last;

    public async Task<List<FactoryBooks>> GetAsync(CancellationToken cancellation)
    {
        Task<(List<FactoryBooks> Books, long ReadAt)> reading;
        lock (gate)
        {
            if (last is null || (last.IsCompleted && !(last.IsCompletedSuccessfully && time.GetElapsedTime(last.Result.ReadAt) < maxAge)))
                last = Task.Run(ReadAsync, CancellationToken.None);
            reading = last;
        }
        return (await reading.WaitAsync(cancellation)).Books;
    }

    private async Task<(List<FactoryBooks> Books, long ReadAt)> ReadAsync()
    {
        var books = await read(stopping);
        return (books, time.GetTimestamp());
    }
}
