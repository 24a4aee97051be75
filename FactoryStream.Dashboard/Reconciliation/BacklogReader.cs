using Npgsql;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>Whether any accepted reading, of whatever factory, has no outcome yet: told without reading the log.</summary>
internal sealed class BacklogReader(NpgsqlDataSource database, SignedTail tail)
{
    public async Task<bool> IsAnyAsync(CancellationToken cancellation)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(
            new(
                """
                SELECT (SELECT coalesce(sum(accepted - stored - duplicates), 0) FROM factory.ledger)
                    > (SELECT coalesce(sum(count), 0) FROM factory.rejection_counts WHERE NOT refused)
                """
            )
        );
        batch.BatchCommands.Add(new(SourcePositions.Query) { Parameters = { SourcePositions.Parameter } });
        Dictionary<int, (string TopicId, long Offset)> taken;
        await using (var reader = await batch.ExecuteReaderAsync(cancellation))
        {
            await reader.ReadAsync(cancellation);
            // A rejection is counted on a topic of its own, perhaps after the checkpoint has gone past its line.
            if (reader.GetBoolean(0))
                return true;
            await reader.NextResultAsync(cancellation);
            taken = await SourcePositions.ReadAsync(reader, cancellation);
        }
        return await tail.MeasureAsync(taken, cancellation) > 0;
    }
}
