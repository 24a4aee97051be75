using FactoryStream.Contracts;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>What the ledger says of the factories of one prefix, look by look.</summary>
internal sealed class LedgerReader(SystemUnderLoad system, string prefix, TimeProvider time)
{
    private readonly List<CommitObservation> observations = [];
    private readonly List<(DateTime At, long Stored)> totals = [];
    private readonly Dictionary<(int, string), long> known = [];

    public long Accepted { get; private set; }

    public long Stored { get; private set; }

    /// <summary>When a look found more than the one before.</summary>
    public DateTime LastChange { get; private set; }

    public IReadOnlyList<CommitObservation> Observations => observations;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand(
            "SELECT partition, factory_id, accepted, stored FROM factory.ledger WHERE factory_id LIKE $1"
        );
        command.Parameters.AddWithValue(prefix + "%");
        long accepted = 0,
            stored = 0;
        var more = new List<(int Partition, string FactoryId, long Accepted)>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                accepted += reader.GetInt64(2);
                stored += reader.GetInt64(3);
                more.Add((reader.GetInt32(0), reader.GetString(1), reader.GetInt64(2)));
            }
        }
        // After the answer, so that a time to the commit is never too short.
        var now = time.GetUtcNow().UtcDateTime;
        if (accepted != Accepted)
            LastChange = now;
        foreach (var (partition, factoryId, count) in more)
        {
            if (known.GetValueOrDefault((partition, factoryId)) == count)
                continue;
            known[(partition, factoryId)] = count;
            observations.Add(new CommitObservation(now, partition, factoryId, count));
        }
        (Accepted, Stored) = (accepted, stored);
        totals.Add((now, stored));
    }

    /// <summary>Waits until so many are committed; false when nothing more came for a while.</summary>
    public async Task<bool> WaitForCommitAsync(long readings, TimeSpan patience, CancellationToken cancellationToken)
    {
        var progressed = time.GetTimestamp();
        while (true)
        {
            var before = Accepted;
            await LookAsync(cancellationToken);
            if (Accepted >= readings)
                return true;
            if (Accepted != before)
                progressed = time.GetTimestamp();
            if (time.GetElapsedTime(progressed) > patience)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken);
        }
    }

    /// <summary>Stored at each whole second after a moment.</summary>
    public IReadOnlyList<long> BySecond(DateTime start)
    {
        var bySecond = new List<long>();
        foreach (var (at, stored) in totals)
        {
            var second = (int)(at - start).TotalSeconds;
            while (second >= 0 && bySecond.Count <= second)
                bySecond.Add(0);
            if (second >= 0)
                bySecond[second] = stored;
        }
        for (var second = 1; second < bySecond.Count; second++)
            bySecond[second] = Math.Max(bySecond[second], bySecond[second - 1]);
        return bySecond;
    }

    /// <summary>Messages of both topics that the checkpoints have behind them.</summary>
    public async Task<(long Signed, long Verified)> MessagesAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand(
            """
            SELECT coalesce(sum(source_offset + 1), 0)::bigint, coalesce(sum(next_offset), 0)::bigint
            FROM factory.checkpoints WHERE topic = $1
            """
        );
        command.Parameters.AddWithValue(TopicNames.Verified);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    public async Task<int> PartitionsAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand("SELECT count(*) FROM factory.checkpoints WHERE topic = $1");
        command.Parameters.AddWithValue(TopicNames.Verified);
        return (int)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
