using System.Data;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Api;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Dashboard.Books;

/// <summary>
/// Draws up the books: what the ledger and the counts of rejections say at one instant, and beyond the ledger's checkpoints of that instant
/// whatever Kafka holds of accepted lines, which is the backlog.
/// </summary>
internal sealed class BooksReader(IServiceScopeFactory scopes, SignedTail tail, TimeProvider time, DashboardMetrics metrics) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private (long Begun, BooksAnswer Books)? last;

    /// <summary>The books as they are now. Who waits while another's are drawn up shares the next ones with all who wait.</summary>
    public async Task<BooksAnswer> ReadAsync(CancellationToken cancellation)
    {
        var asked = time.GetTimestamp();
        await turn.WaitAsync(cancellation);
        try
        {
            if (last is { } recent && recent.Begun >= asked)
                return recent.Books;
            var begun = time.GetTimestamp();
            var (ledger, rejections, checkpoints) = await SnapshotAsync(cancellation);
            var beyond = await tail.ReadAsync(checkpoints, cancellation);
            var books = DrawUp(ledger, rejections, beyond);
            metrics.BooksDrawnUp(beyond.Total, time.GetElapsedTime(begun));
            last = (begun, books);
            return books;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    /// <summary>Brings the three sources together, by factory.</summary>
    internal static BooksAnswer DrawUp(IReadOnlyCollection<LedgerRow> ledger, IReadOnlyCollection<RejectionCountRow> rejections, TailLines beyond)
    {
        var ledgers = ledger.ToLookup(row => row.FactoryId);
        var counts = rejections.ToLookup(row => (row.FactoryId, row.Refused));
        var factories = new List<FactoryBooks>();
        foreach (var factoryId in ledger.Select(row => row.FactoryId).Concat(rejections.Select(row => row.FactoryId)).Concat(beyond.ByFactory.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            var rejected = ByReason(counts[(factoryId, false)]);
            var accepted = ledgers[factoryId].Sum(row => row.Accepted) + beyond.ByFactory.GetValueOrDefault(factoryId);
            var stored = ledgers[factoryId].Sum(row => row.Stored);
            var duplicates = ledgers[factoryId].Sum(row => row.Duplicates);
            var backlog = accepted - stored - duplicates - rejected.Values.Sum();
            factories.Add(new FactoryBooks(factoryId, accepted, stored, duplicates, rejected, ByReason(counts[(factoryId, true)]), backlog));
        }
        return new BooksAnswer(factories, BacklogIsEstimate: !beyond.IsWhole);
    }

    private static SortedDictionary<string, long> ByReason(IEnumerable<RejectionCountRow> rows) =>
        new(rows.GroupBy(row => row.Reason).ToDictionary(reason => reason.Key, reason => reason.Sum(row => row.Count)), StringComparer.Ordinal);

    private async Task<(List<LedgerRow> Ledger, List<RejectionCountRow> Rejections, Dictionary<int, SourceCheckpoint> Checkpoints)> SnapshotAsync(CancellationToken cancellation)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        // One snapshot for all three: ledger and checkpoint change in the same transactions.
        await using var transaction = await context.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var ledger = await context.Ledger.AsNoTracking().ToListAsync(cancellation);
        var rejections = await context.RejectionCounts.AsNoTracking().ToListAsync(cancellation);
        var checkpoints = await context.Checkpoints.AsNoTracking().Where(checkpoint => checkpoint.Topic == Topics.Verified)
            .ToDictionaryAsync(checkpoint => checkpoint.Partition, checkpoint => new SourceCheckpoint(checkpoint.SourceTopicId, checkpoint.SourceOffset), cancellation);
        await transaction.CommitAsync(cancellation);
        return (ledger, rejections, checkpoints);
    }
}
