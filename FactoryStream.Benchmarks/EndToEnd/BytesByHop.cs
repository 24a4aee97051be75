using FactoryStream.Contracts;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>Bytes that a table's partitions take on disk.</summary>
/// <param name="Heap">Its rows.</param>
/// <param name="Indexes">All of them.</param>
/// <param name="Aside">Out-of-line values (TOAST), free space and visibility maps.</param>
internal readonly record struct TableBytes(long Heap, long Indexes, long Aside)
{
    public long Total => Heap + Indexes + Aside;

    public static TableBytes operator -(TableBytes left, TableBytes right) =>
        new(left.Heap - right.Heap, left.Indexes - right.Indexes, left.Aside - right.Aside);
}

/// <summary>What was written so far, hop by hop; the difference of two is what a run wrote.</summary>
/// <param name="SignedLog">Segments of <c>readings.signed</c>; null: the broker keeps none on this machine's disk.</param>
/// <param name="VerifiedLog">Segments of <c>readings.verified</c>.</param>
/// <param name="Wal">PostgreSQL's log position.</param>
/// <param name="Readings">At rest.</param>
/// <param name="Windows">At rest.</param>
/// <param name="Batches">At rest: the evidence of readings that have no signature of their own; nothing where there is no such
/// table.</param>
internal sealed record BytesByHop(
    long? SignedLog,
    long? VerifiedLog,
    long Wal,
    TableBytes Readings,
    TableBytes Windows,
    TableBytes Batches = default
)
{
    public static async Task<BytesByHop> ReadAsync(SystemUnderLoad system, CancellationToken cancellationToken)
    {
        var log = (await system.ProcessesAsync(cancellationToken)).TryGetValue("kafka", out var kafka)
            ? KafkaLogFolder.FolderOf(kafka)
            : null;
        await using var command = system.Database.CreateCommand(
            """
            SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, parent.relname,
                coalesce(sum(pg_relation_size(inhrelid)), 0)::bigint, coalesce(sum(pg_indexes_size(inhrelid)), 0)::bigint,
                coalesce(sum(pg_table_size(inhrelid) - pg_relation_size(inhrelid)), 0)::bigint
            FROM pg_class AS parent LEFT JOIN pg_inherits ON inhparent = parent.oid
            WHERE parent.relnamespace = 'factory'::regnamespace AND parent.relname IN ('readings', 'engine_windows', 'batches')
            GROUP BY parent.relname
            """
        );
        var wal = 0L;
        var tables = new Dictionary<string, TableBytes>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            wal = reader.GetInt64(0);
            tables[reader.GetString(1)] = new TableBytes(reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
        }
        return new BytesByHop(
            log is null ? null : KafkaLogFolder.Bytes(log, TopicNames.Signed),
            log is null ? null : KafkaLogFolder.Bytes(log, TopicNames.Verified),
            wal,
            tables["readings"],
            tables["engine_windows"],
            tables.GetValueOrDefault("batches")
        );
    }

    /// <summary>What was written since, a reading.</summary>
    /// <param name="before">The look before the run.</param>
    /// <param name="readings">Stored between the two.</param>
    public IEnumerable<BenchRow> RowsSince(BytesByHop before, long readings)
    {
        var stored = Readings - before.Readings;
        if (SignedLog is not null && before.SignedLog is not null)
        {
            yield return Row("log of readings.signed", SignedLog.Value - before.SignedLog.Value);
            yield return Row("log of readings.verified", VerifiedLog!.Value - before.VerifiedLog!.Value);
        }
        yield return Row("WAL", Wal - before.Wal);
        yield return Row("at rest, readings: rows", stored.Heap);
        yield return Row("at rest, readings: indexes", stored.Indexes);
        yield return Row("at rest, readings: out of line and maps", stored.Aside);
        if ((Batches - before.Batches).Total is > 0 and var batches)
            yield return Row("at rest, batches", batches);
        yield return Row("at rest, windows closed so far", (Windows - before.Windows).Total);

        BenchRow Row(string name, long bytes) => new($"bytes, {name}", (double)bytes / Math.Max(1, readings), "a reading");
    }
}

/// <summary>Apache Kafka's log on this machine's disk.</summary>
internal static class KafkaLogFolder
{
    /// <summary>
    /// Where a broker of this machine keeps its topics, by the properties file that is its last argument; null: it cannot be told.
    /// </summary>
    public static string? FolderOf(int process)
    {
        foreach (var pid in ProcFiles.Tree(ProcFiles.All(), process))
        {
            if (
                ProcFiles.Arguments(pid) is [.., var properties]
                && properties.EndsWith(".properties", StringComparison.Ordinal)
                && File.Exists(properties)
            )
                return Named(File.ReadLines(properties));
        }
        return null;
    }

    /// <summary>Of <c>log.dirs=/var/lib/kafka</c>; null where there is none or several.</summary>
    public static string? Named(IEnumerable<string> properties) =>
        properties.Select(line => line.Trim().Split('=', 2)).FirstOrDefault(line => line[0] == "log.dirs") is [_, var folder]
        && !folder.Contains(',', StringComparison.Ordinal)
            ? folder
            : null;

    /// <summary>
    /// Bytes of a topic's messages, without the indexes, which Kafka allocates ahead. Partition 3 of a topic is the folder <c>TOPIC-3</c>.
    /// </summary>
    public static long Bytes(string folder, string topic) =>
        Directory
            .EnumerateDirectories(folder, $"{topic}-*")
            .Where(partition => Path.GetFileName(partition)[(topic.Length + 1)..].All(char.IsAsciiDigit))
            .Sum(partition => Directory.EnumerateFiles(partition, "*.log").Sum(segment => new FileInfo(segment).Length));
}
