using System.Data;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Api;
using Npgsql;

namespace FactoryStream.Dashboard.Books;

/// <summary>The books of every factory: what the database knows in one snapshot, and what the log holds beyond that.</summary>
internal sealed class BooksReader(NpgsqlDataSource database, SignedTail tail, DashboardMetrics metrics)
{
    /// <summary>All factories, by id.</summary>
    /// <exception cref="TailTooLongException">The backlog is too long to be counted.</exception>
    public async Task<List<FactoryBooks>> ReadAsync(CancellationToken cancellation)
    {
        var (books, taken, enrolled) = await ReadSnapshotAsync(cancellation);
        // After the snapshot, so that a line is in neither only if it was not yet accepted when asked.
        var beyond = await tail.CountAsync(taken, enrolled, cancellation);
        metrics.TailLines.Record(beyond.Values.Sum());
        foreach (var (factoryId, lines) in beyond)
            Of(books, factoryId).Accepted += lines;
        return [.. books.Values.OrderBy(book => book.FactoryId, StringComparer.Ordinal).Select(book => book.Close())];
    }

    private async Task<Snapshot> ReadSnapshotAsync(CancellationToken cancellation)
    {
        var books = new Dictionary<string, OpenBooks>();
        var taken = new Dictionary<int, (string, long)>();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new(
                    "SELECT factory_id, sum(accepted)::bigint, sum(stored)::bigint, sum(duplicates)::bigint FROM factory.ledger "
                        + "GROUP BY factory_id"
                ),
                new(
                    "SELECT factory_id, reason, refused, sum(count)::bigint FROM factory.rejection_counts GROUP BY factory_id, "
                        + "reason, refused"
                ),
                new("SELECT partition, source_topic_id, source_offset FROM factory.checkpoints WHERE topic = $1")
                {
                    Parameters = { new NpgsqlParameter<string> { TypedValue = Topics.Verified } },
                },
                new("SELECT DISTINCT factory_id FROM factory.signing_keys"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var book = Of(books, reader.GetString(0));
            (book.Accepted, book.Stored, book.Duplicates) = (reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
        }
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var book = Of(books, reader.GetString(0));
            (reader.GetBoolean(2) ? book.Refused : book.Rejected)[reader.GetString(1)] = reader.GetInt64(3);
        }
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            taken[reader.GetInt32(0)] = (reader.GetString(1), reader.GetInt64(2));
        await reader.NextResultAsync(cancellation);
        var enrolled = new HashSet<string>();
        while (await reader.ReadAsync(cancellation))
            enrolled.Add(reader.GetString(0));
        return new(books, taken, enrolled);
    }

    private static OpenBooks Of(Dictionary<string, OpenBooks> books, string factoryId)
    {
        if (!books.TryGetValue(factoryId, out var book))
            books.Add(factoryId, book = new OpenBooks(factoryId));
        return book;
    }

    private sealed record Snapshot(
        Dictionary<string, OpenBooks> Books,
        Dictionary<int, (string TopicId, long Offset)> Taken,
        HashSet<string> Enrolled
    );

    private sealed class OpenBooks(string factoryId)
    {
        public string FactoryId => factoryId;

        public long Accepted { get; set; }

        public long Stored { get; set; }

        public long Duplicates { get; set; }

        public SortedDictionary<string, long> Rejected { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, long> Refused { get; } = new(StringComparer.Ordinal);

        public FactoryBooks Close() =>
            new(
                factoryId.Length > 0 ? factoryId : MessageHeaders.LedgerUnknown,
                Accepted,
                Stored,
                Duplicates,
                Rejected,
                Refused,
                Accepted - Stored - Duplicates - Rejected.Values.Sum()
            );
    }
}
