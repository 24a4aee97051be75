using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using FactoryStream.Tests.Fuzz;

namespace FactoryStream.Tests.Distributed;

/// <summary>What the fuzz test has sent, and what must have become of it: its own ledger beside the system's. Thread-safe.</summary>
internal sealed class FuzzLedger
{
    /// <summary>How long the system may stand still before a test says that it does.</summary>
    public static readonly TimeSpan Standstill = TimeSpan.FromMinutes(2);

    private readonly Lock gate = new();
    private long mutants,
        accepted,
        refused,
        refusedSum,
        neighbours,
        retries;

    public long Mutants => Interlocked.Read(ref mutants);

    /// <summary>Good readings sent beside the mutants.</summary>
    public long Neighbours => Interlocked.Read(ref neighbours);

    /// <summary>Requests that were sent again, because there was no room.</summary>
    public long Retries => Interlocked.Read(ref retries);

    /// <summary>The sum of the first four bytes of the SHA-256 of each refused line.</summary>
    public long RefusedSum => Interlocked.Read(ref refusedSum);

    /// <summary>Adds mutants; how many were added.</summary>
    public int AddMutants(int sent)
    {
        Interlocked.Add(ref mutants, sent);
        return sent;
    }

    /// <summary>The number of one more good reading, from 1.</summary>
    public long AddNeighbour() => Interlocked.Increment(ref neighbours);

    public void AddRetry() => Interlocked.Increment(ref retries);

    /// <summary>Adds what became of lines.</summary>
    public void Add(ExpectedLines lines)
    {
        lock (gate)
        {
            accepted += lines.Accepted;
            refused += lines.Refused.Count;
            foreach (var refusal in lines.Refused.Values)
                refusedSum += BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(refusal.Kept));
        }
    }

    /// <summary>Waits until all that was accepted or refused is in the database under a name, as long as it goes on; by name, how
    /// much.</summary>
    public async Task<SortedDictionary<string, long>> OutcomesAsync(RunningSystem system)
    {
        var since = Stopwatch.StartNew();
        var last = "";
        while (true)
        {
            var outcomes = new SortedDictionary<string, long>(StringComparer.Ordinal);
            await using (
                var command = system.Database.CreateCommand(
                    """
                    SELECT 'accepted', coalesce(sum(accepted), 0)::bigint FROM factory.ledger
                    UNION ALL SELECT 'stored', coalesce(sum(stored), 0)::bigint FROM factory.ledger
                    UNION ALL SELECT 'duplicates', coalesce(sum(duplicates), 0)::bigint FROM factory.ledger
                    UNION ALL SELECT CASE WHEN refused THEN 'refused ' ELSE 'rejected ' END || reason,
                        sum(count)::bigint FROM factory.rejection_counts GROUP BY reason, refused
                    """
                )
            )
            {
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync())
                    outcomes[reader.GetString(0)] = reader.GetInt64(1);
            }
            long Sum(string prefix) =>
                outcomes.Where(outcome => outcome.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(outcome => outcome.Value);
            var now = $"{string.Join(", ", outcomes)}, of {accepted} accepted and {refused} refused";
            if (
                outcomes["accepted"] == accepted
                && Sum("refused ") == refused
                && outcomes["stored"] + outcomes["duplicates"] + Sum("rejected ") == accepted
            )
                return outcomes;
            Assert.True(outcomes["accepted"] <= accepted && Sum("refused ") <= refused, $"More than was sent: {now}");
            if (now != last)
                since.Restart();
            last = now;
            Assert.True(since.Elapsed < Standstill, $"For {Standstill} there is only: {now}");
            await Task.Delay(500, CancellationToken.None);
        }
    }
}
