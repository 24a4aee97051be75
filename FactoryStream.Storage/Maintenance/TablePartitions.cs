using Npgsql;

namespace FactoryStream.Storage;

/// <summary>Sees to it that every moment has its table partition, and remembers which it has seen. Not thread-safe.</summary>
/// <param name="database">The database with the schema <c>factory</c>.</param>
/// <param name="parent">The table: <c>readings</c>, <c>batches</c> or <c>windows</c>.</param>
public sealed class TablePartitions(NpgsqlDataSource database, string parent)
{
    private readonly List<(DateTime Lower, DateTime Upper)> known = [];
    private (DateTime Lower, DateTime Upper) last;

    /// <summary>
    /// Makes the table partition of <paramref name="moment"/> unless it is known to be there; in a transaction of its own, before the one
    /// that needs it.
    /// </summary>
    /// <param name="moment">The time that the row is partitioned by, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public ValueTask EnsureAsync(DateTime moment, CancellationToken cancellation) =>
        // Time mostly goes on within the table partition of the moment before.
        moment >= last.Lower
        && moment < last.Upper
            ? ValueTask.CompletedTask
            : FindAsync(moment, cancellation);

    private async ValueTask FindAsync(DateTime moment, CancellationToken cancellation)
    {
        foreach (var range in known)
        {
            if (moment >= range.Lower && moment < range.Upper)
            {
                last = range;
                return;
            }
        }
        await using var command = database.CreateCommand("SELECT lower_bound, upper_bound FROM factory.ensure_partition($1, $2)");
        command.Parameters.AddWithValue(parent);
        command.Parameters.AddWithValue(moment);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        last = (reader.GetDateTime(0), reader.GetDateTime(1));
        known.Add(last);
    }

    /// <summary>Forgets what it knows: after a retention run, table partitions may be gone.</summary>
    public void Forget()
    {
        known.Clear();
        last = default;
    }
}
