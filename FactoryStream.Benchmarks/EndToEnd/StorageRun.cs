using System.Globalization;
using System.IO.Compression;
using FactoryStream.Audit;
using FactoryStream.Audit.Evidence;
using FactoryStream.Simulator;
using Npgsql;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>
/// Bytes of a reading at rest, measured from signed readings that went all the way; and what they become as a dump and as an archive.
/// </summary>
internal sealed class StorageRun(long readings, int engines, double eventRate, TextWriter output, TextWriter error, TimeProvider time)
{
    public const int Factories = 10;

    private const int Lines = 100,
        Connections = 4;
    private static readonly TimeSpan CommitWithin = TimeSpan.FromSeconds(60);

    public async Task<StorageReport> MeasureAsync(CancellationToken cancellationToken)
    {
        var options = new BenchOptions(
            Readings: readings,
            Seconds: 60,
            Engines: engines,
            Factories,
            Lines,
            Connections,
            Rate: 0,
            eventRate,
            IsApacheKafka: false,
            Verifiers: 1,
            Partitions: null,
            WarmUpSeconds: 0,
            HasLimits: false,
            Settings: [],
            Out: null,
            Compare: null
        );
        Directory.CreateDirectory(CorpusCache.DefaultFolder);
        var cache = new CorpusCache(CorpusCache.DefaultFolder, error, time);
        var corpus = await cache.GetAsync(options, CorpusCache.MeasuredPrefix, readings, true, cancellationToken);

        await error.WriteLineAsync("Storing ...");
        await using var system = await SystemUnderLoad.StartAsync(options, cancellationToken);
        var empty = await BytesByHop.ReadAsync(system, cancellationToken);
        using var sender = Sender.Start(system, corpus, cache.Keys.Path, options, 0, null);
        var load = await sender.ReportAsync(cancellationToken);
        var ledger = new LedgerReader(system, CorpusCache.MeasuredPrefix, time);
        if (!await ledger.WaitForCommitAsync(readings, CommitWithin, cancellationToken) || ledger.Stored != readings)
            throw new UsageException($"{ledger.Stored} of {readings} readings are stored. {load.Failure}");
        var windowRows = await ClosedWindowsAsync(system, cancellationToken);

        var bytes = await BytesByHop.ReadAsync(system, cancellationToken);
        await using (var rebuild = system.Database.CreateCommand("REINDEX TABLE factory.readings"))
        {
            rebuild.CommandTimeout = 0;
            await rebuild.ExecuteNonQueryAsync(cancellationToken);
        }
        var rebuilt = await BytesByHop.ReadAsync(system, cancellationToken);
        var total = (double)bytes.Readings.Total / readings;
        var rows = new List<BenchRow>
        {
            Bytes("HTTP body", load.CorpusBytes),
            Bytes("PostgreSQL: rows", bytes.Readings.Heap),
            Bytes("PostgreSQL: index", bytes.Readings.Indexes),
            Bytes("PostgreSQL: index, rebuilt (REINDEX)", rebuilt.Readings.Indexes),
            Bytes("PostgreSQL: out of line and maps", bytes.Readings.Aside),
            Bytes("PostgreSQL: together", bytes.Readings.Total),
            new("PostgreSQL: a window's row, its index with it", (double)bytes.Windows.Total / Math.Max(1, windowRows), "bytes a row"),
            new("windows' rows (a row for each metric)", (double)windowRows / readings, "a reading"),
            Bytes("PostgreSQL: windows", bytes.Windows.Total),
            Bytes("PostgreSQL: WAL, of readings and windows", bytes.Wal - empty.Wal),
        };

        using var folder = new TemporaryFiles();
        var partitions = await PartitionsAsync(system, cancellationToken);
        rows.AddRange(await DumpsAsync(system, partitions, folder.Path, cancellationToken));
        rows.AddRange(await ArchivesAsync(system, partitions, folder.Path, cancellationToken));

        var all = rows.Select(row =>
            row.Unit == "bytes a reading"
                ? row with
                {
                    Goal = (row.Value / total).ToString("F2", CultureInfo.InvariantCulture) + " of together",
                }
                : row
        );
        BenchTables.WriteRows(output, [.. all], null);
        return new StorageReport(
            time.GetUtcNow().UtcDateTime,
            BenchReport.ThisCommit,
            MachineNote.OfThis(),
            readings,
            engines,
            eventRate,
            rows
        );
    }

    private BenchRow Bytes(string name, long bytes) => new(name, (double)bytes / readings, "bytes a reading");

    /// <summary>Waits until each reading is in a closed window; how many rows they are.</summary>
    private async Task<long> ClosedWindowsAsync(SystemUnderLoad system, CancellationToken cancellationToken)
    {
        await error.WriteLineAsync("Waiting for the windows to close ...");
        for (
            var begun = time.GetTimestamp();
            time.GetElapsedTime(begun) < CommitWithin;
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken)
        )
        {
            await using var command = system.Database.CreateCommand(
                "SELECT coalesce(sum(count) FILTER (WHERE metric = 'rpm'), 0)::bigint, count(*) FROM factory.windows"
            );
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (reader.GetInt64(0) == readings)
                return reader.GetInt64(1);
        }
        throw new UsageException("The windows do not close.");
    }

    private static async Task<List<string>> PartitionsAsync(SystemUnderLoad system, CancellationToken cancellationToken)
    {
        await using var command = system.Database.CreateCommand(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'factory.readings'::regclass AND "
                + "pg_relation_size(oid) > 0 ORDER BY 1"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var partitions = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            partitions.Add(reader.GetString(0));
        return partitions;
    }

    private async Task<List<BenchRow>> DumpsAsync(
        SystemUnderLoad system,
        IReadOnlyList<string> partitions,
        string folder,
        CancellationToken cancellationToken
    )
    {
        if (Programs.Find("pg_dump") is not { } dump)
        {
            await error.WriteLineAsync("No pg_dump on this machine: no figures of dumps.");
            return [];
        }
        await error.WriteLineAsync("Dumping ...");
        var database = new NpgsqlConnectionStringBuilder(system.ConnectionString);
        var plain = Path.Combine(folder, "readings.sql");
        string[] tables = [.. partitions.SelectMany(partition => (string[])["-t", $"factory.{partition}"])];
        await Programs.RunAsync(
            dump,
            [
                "-h",
                database.Host!,
                "-p",
                database.Port.ToString(CultureInfo.InvariantCulture),
                "-U",
                database.Username!,
                "-d",
                database.Database!,
                "--data-only",
                "-f",
                plain,
                .. tables,
            ],
            database.Password,
            cancellationToken
        );
        var rows = new List<BenchRow> { Bytes("pg_dump, plain", new FileInfo(plain).Length) };
        var gzip = plain + ".gz";
        await using (var source = File.OpenRead(plain))
        await using (var target = new GZipStream(File.Create(gzip), CompressionLevel.Optimal))
            await source.CopyToAsync(target, cancellationToken);
        rows.Add(Bytes("pg_dump, gzip", new FileInfo(gzip).Length));
        if (Programs.Find("zstd") is not { } zstd)
        {
            await error.WriteLineAsync("No zstd on this machine: no figures of it.");
            return rows;
        }
        foreach (var level in (string[])["-3", "-19"])
        {
            var compressed = $"{plain}{level}.zst";
            await Programs.RunAsync(zstd, ["-q", level, plain, "-o", compressed], null, cancellationToken);
            rows.Add(Bytes($"pg_dump, zstd {level}", new FileInfo(compressed).Length));
        }
        return rows;
    }

    private async Task<List<BenchRow>> ArchivesAsync(
        SystemUnderLoad system,
        IReadOnlyList<string> partitions,
        string folder,
        CancellationToken cancellationToken
    )
    {
        await error.WriteLineAsync("Archiving ...");
        var (size, archived) = (0L, 0L);
        var cpu = Environment.CpuUsage.TotalTime;
        var began = time.GetTimestamp();
        foreach (var partition in partitions)
        {
            var file = Path.Combine(folder, $"{partition}.parquet");
            await using var source = await ReadingsPartition.OpenAsync(system.ConnectionString, partition, cancellationToken);
            archived += (await ArchiveCommand.WriteAsync(source, file, cancellationToken)).Readings;
            size += new FileInfo(file).Length;
        }
        return archived != readings
            ? throw new UsageException($"{archived} of {readings} readings were archived.")
            :
            [
                Bytes("archive: Parquet, zstd, all evidence", size),
                new(
                    "archive: CPU to write, read back and check, compilers included",
                    (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / readings,
                    "us a reading"
                ),
                new("archive: written, read back and checked", readings / time.GetElapsedTime(began).TotalSeconds, "readings/s"),
            ];
    }

    private sealed class TemporaryFiles : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("factorystream-storage-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
