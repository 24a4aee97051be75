using FactoryStream.Dashboard.Api;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Books;

/// <summary>The books as the pages show them: read once for all pages, and only while one asks.</summary>
internal sealed class SharedBooks(RecentBooks books, IOptions<DashboardOptions> options, TimeProvider time, ILogger<SharedBooks> logger)
    : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private BooksState state = new([], "The books are being read.");
    private long? readAt;

    /// <summary>The books, or why there are none; at most <see cref="DashboardOptions.BooksInterval"/> old.</summary>
    public async Task<BooksState> GetAsync(CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            if (readAt is { } moment && time.GetElapsedTime(moment) < options.Value.BooksInterval)
                return state;
            try
            {
                state = new(await books.GetAsync(cancellation), null);
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
            {
                if (state.Failure is null)
                    logger.BooksUnavailable(exception.Message);
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

/// <summary>The last books that could be read, and why there are no newer ones (null: these are new).</summary>
internal sealed record BooksState(IReadOnlyList<FactoryBooks> Factories, string? Failure);
