using System.Data;
using FactoryStream.Contracts;
using Npgsql;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>The ledger of every factory: what the database knows in one snapshot, and what the log holds beyond that.</summary>
internal sealed class LedgerReader(NpgsqlDataSource database, SignedTail tail, DashboardMetrics metrics)
{
    /// <summary>All factories, by id.</summary>
    /// <exception cref="TailTooLongException">The backlog is too long to be counted.</exception>
    public async Task<List<FactoryLedger>> ReadAsync(CancellationToken cancellation)
    {
        var (ledgers, taken, enrolled) = await ReadSnapshotAsync(cancellation);
        // After the snapshot, so that a line is in neither only if it was not yet accepted when asked.
        var beyond = await tail.CountAsync(taken, enrolled, cancellation);
        metrics.TailReadings.Record(beyond.Values.Sum());
        foreach (var (factoryId, lines) in beyond)
            Of(ledgers, factoryId).Accepted += lines;
        return [.. ledgers.Values.OrderBy(ledger => ledger.FactoryId, StringComparer.Ordinal).Select(ledger => ledger.Close())];
    }

    private async Task<Snapshot> ReadSnapshotAsync(CancellationToken cancellation)
    {
        var ledgers = new Dictionary<string, OpenLedger>();
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
                new(SourcePositions.Query) { Parameters = { SourcePositions.Parameter } },
                new("SELECT DISTINCT factory_id FROM factory.signing_keys"),
                new("SELECT factory_id, sum(readings)::bigint FROM factory.redrives GROUP BY factory_id HAVING sum(readings) > 0"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var ledger = Of(ledgers, reader.GetString(0));
            (ledger.Accepted, ledger.Stored, ledger.Duplicates) = (reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
        }
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var ledger = Of(ledgers, reader.GetString(0));
            (reader.GetBoolean(2) ? ledger.Refused : ledger.Rejected)[reader.GetString(1)] = reader.GetInt64(3);
        }
        await reader.NextResultAsync(cancellation);
        var taken = await SourcePositions.ReadAsync(reader, cancellation);
        await reader.NextResultAsync(cancellation);
        var enrolled = new HashSet<string>();
        while (await reader.ReadAsync(cancellation))
            enrolled.Add(reader.GetString(0));
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            Of(ledgers, reader.GetString(0)).Redriven = reader.GetInt64(1);
        return new(ledgers, taken, enrolled);
    }

    private static OpenLedger Of(Dictionary<string, OpenLedger> ledgers, string factoryId)
    {
        if (!ledgers.TryGetValue(factoryId, out var ledger))
            ledgers.Add(factoryId, ledger = new OpenLedger(factoryId));
        return ledger;
    }

    private sealed record Snapshot(
        Dictionary<string, OpenLedger> Ledgers,
        Dictionary<int, (string TopicId, long Offset)> Taken,
        HashSet<string> Enrolled
    );

    private sealed class OpenLedger(string factoryId)
    {
        public string FactoryId => factoryId;

        public long Accepted { get; set; }

        public long Stored { get; set; }

        public long Duplicates { get; set; }

        public long Redriven { get; set; }

        public SortedDictionary<string, long> Rejected { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, long> Refused { get; } = new(StringComparer.Ordinal);

        public FactoryLedger Close() =>
            new(
                factoryId.Length > 0 ? factoryId : MessageHeaders.LedgerUnknown,
                Accepted,
                Stored,
                Duplicates,
                Rejected,
                Refused,
                Accepted - Stored - Duplicates - Rejected.Values.Sum(),
                Redriven
            );
    }
}
