using System.CommandLine;
using FactoryStream.Audit.Evidence;
using FactoryStream.Contracts;
using Npgsql;

namespace FactoryStream.Audit;

/// <summary><c>archive</c>: a partition of the readings as a file that outlives it.</summary>
internal static class ArchiveCommand
{
    private const int BufferBytes = 1 << 20;

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The archive: Parquet, compressed by zstd; it must not exist yet" };
        var partition = new Option<string>("--partition")
        {
            Description = "Partition of factory.readings, e.g. readings_20261123; a wrong name lists them",
            HelpName = "NAME",
            Required = true,
        };
        var database = new Option<string?>("--database")
        {
            Description = "Npgsql's connection string [default: ConnectionStrings__factorydb; better there, for others see command lines]",
            HelpName = "STRING",
        };
        var command = new Command(
            "archive",
            "Write a partition of the readings, with all evidence, to a Parquet file that needs less than half of its room, then "
                + "read the file back: every field must be the same and every signature hold, or no file is left. "
                + "It changes nothing in the database: 'audit' checks the file with the public keys alone, and then retention, or "
                + "factory.drop_partitions, may drop the partition."
        )
        {
            file,
            partition,
            database,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var connectionString =
                    parsed.GetValue(database)
                    ?? Environment.GetEnvironmentVariable("ConnectionStrings__factorydb")
                    ?? throw new EvidenceException("Which database? Set ConnectionStrings__factorydb, or name it by --database.");
                var path = parsed.GetValue(file)!;
                var name = parsed.GetValue(partition)!;
                await using var source = await ReadingsPartition.OpenAsync(connectionString, name, cancellationToken);
                var written = await WriteAsync(source, path, cancellationToken);
                await parsed.InvocationConfiguration.Output.WriteLineAsync(
                    $"{written.Readings} readings of {name}, {new FileInfo(path).Length} bytes, SHA-256 of all fields "
                        + $"{written.Sha256}: read back the same, every signature holds"
                );
                return 0;
            }
        );
        return command;
    }

    /// <summary>Writes a partition, reads it back, and gives it its name only when nothing is missing, changed or untrue.</summary>
    public static async Task<ArchiveDigest> WriteAsync(ReadingsPartition source, string path, CancellationToken cancellationToken)
    {
        if (File.Exists(path))
            throw new EvidenceException($"{path} is there already, and evidence is not overwritten.");
        var unfinished = $"{path}.{Environment.ProcessId}";
        try
        {
            if (await source.CountUnsignedAsync(cancellationToken) is > 0 and var unsigned)
                throw new EvidenceException(
                    $"{unsigned} readings have no signature of their own, and an archive without their evidence would prove "
                        + "nothing: nothing was archived."
                );
            ArchiveDigest written;
            await using (var target = CreateFile(unfinished))
            {
                written = await EvidenceArchive.WriteAsync(target, source.ReadAsync(cancellationToken), cancellationToken);
                // The partition may be dropped as soon as this has its name.
                target.Flush(flushToDisk: true);
            }
            if (await source.CountAsync(cancellationToken) is var rows && rows != written.Readings)
                throw new EvidenceException($"The partition has {rows} readings, of which {written.Readings} have their engine and key.");
            if (await EvidenceArchive.DigestAsync(unfinished, cancellationToken) is var read && read != written)
                throw new EvidenceException(
                    $"Read back, the file holds something else: {read.Readings} of {written.Readings} readings, SHA-256 "
                        + $"{read.Sha256} for {written.Sha256}."
                );
            var audit = await new EvidenceAudit(await source.KeysAsync(cancellationToken)).CheckAsync(unfinished, null, cancellationToken);
            if (written.Readings > 0 && !audit.IsClean)
                throw new EvidenceException(
                    $"{audit.Total - audit[Verdict.Accepted]} of {written.Readings} readings in the database are not what was "
                        + "signed; nothing was archived. 'audit' of an export names them."
                );
            File.Move(unfinished, path);
            return written;
        }
        catch (NpgsqlException exception)
        {
            throw new EvidenceException($"The database stopped responding: {exception.Message}", exception);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static FileStream CreateFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, BufferBytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EvidenceException($"{path} cannot be opened: {exception.Message}", exception);
        }
    }
}
