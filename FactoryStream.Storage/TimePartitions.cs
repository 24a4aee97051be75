using Npgsql;

namespace FactoryStream.Storage;

/// <summary>Sees to it that a moment has its partition, and remembers which it has seen. Not thread-safe.</summary>
public sealed class TimePartitions(NpgsqlDataSource database)
{
    private readonly Dictionary<string, List<(DateTime Lower, DateTime Upper)>> known = [];

    /// <summary>Makes the partition of <paramref name="moment"/> unless it is known to be there; in a transaction of its own, before the one that needs it.</summary>
    /// <param name="parent"><c>readings</c> or <c>windows</c>.</param>
    /// <param name="moment">UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async ValueTask EnsureAsync(string parent, DateTime moment, CancellationToken cancellation)
    {
        if (!known.TryGetValue(parent, out var ranges))
            known.Add(parent, ranges = []);
        // The newest first: time mostly goes on.
        for (var i = ranges.Count - 1; i >= 0; i--)
        {
            if (moment >= ranges[i].Lower && moment < ranges[i].Upper)
                return;
        }
        await using var command = database.CreateCommand("SELECT lower_bound, upper_bound FROM factory.ensure_partition($1, $2)");
        command.Parameters.AddWithValue(parent);
        command.Parameters.AddWithValue(moment);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        ranges.Add((reader.GetDateTime(0), reader.GetDateTime(1)));
    }

    /// <summary>Forgets what it knows: after a retention run, partitions may be gone.</summary>
    public void Forget() => known.Clear();
}
