using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Parquet;
using Parquet.Schema;

namespace FactoryStream.Audit.Evidence;

/// <summary>
/// How many, and the hash of all their fields in their order: what was written and what was read back must agree in both.
/// </summary>
internal readonly record struct ArchiveDigest(long Readings, string Sha256);

/// <summary>
/// Readings with their evidence as a Parquet file, compressed by zstd, that any Parquet reader can query:
/// <c>factory_id, engine_id, key_id, data</c> strings, <c>measured_at, verdict_at</c> timestamps in microseconds UTC, <c>signature</c>
/// bytes. The SHA-256 that PostgreSQL keeps is not among them: it is that of <c>data</c>.
/// </summary>
internal static class EvidenceArchive
{
    /// <summary>Some 30 MB in memory, and enough for the compressor.</summary>
    private const int ReadingsPerRowGroup = 65_536;

    private static readonly DataField<string> FactoryId = new("factory_id", false),
        EngineId = new("engine_id", false),
        KeyId = new("key_id", false),
        Data = new("data", false);
    private static readonly DateTimeDataField MeasuredAt = Time("measured_at"),
        VerdictAt = Time("verdict_at");
    private static readonly DataField<byte[]> Signature = new("signature", false);
    private static readonly ParquetSchema Schema = new(FactoryId, EngineId, MeasuredAt, VerdictAt, KeyId, Data, Signature);

    /// <summary>Writes readings; sorted by engine and time they compress best.</summary>
    public static async Task<ArchiveDigest> WriteAsync(
        Stream target,
        IAsyncEnumerable<ArchivedReading> readings,
        CancellationToken cancellationToken
    )
    {
        using var digest = new Digest();
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = CompressionLevel.Optimal };
        foreach (var repeated in (DataField[])[FactoryId, EngineId, KeyId])
            options.ColumnEncodingHints[repeated.Path.ToString()] = EncodingHint.Dictionary;
        await using var writer = await ParquetWriter.CreateAsync(Schema, target, options, cancellationToken: cancellationToken);
        await foreach (var group in readings.Chunk(ReadingsPerRowGroup).WithCancellation(cancellationToken))
        {
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync(FactoryId, Array.ConvertAll(group, reading => reading.FactoryId));
            await rows.WriteAsync(EngineId, Array.ConvertAll(group, reading => reading.EngineId));
            await rows.WriteAsync<DateTime>(
                MeasuredAt,
                Array.ConvertAll(group, reading => reading.MeasuredAt),
                cancellationToken: cancellationToken
            );
            await rows.WriteAsync<DateTime>(
                VerdictAt,
                Array.ConvertAll(group, reading => reading.VerdictAt),
                cancellationToken: cancellationToken
            );
            await rows.WriteAsync(KeyId, Array.ConvertAll(group, reading => reading.KeyId));
            await rows.WriteAsync(Data, Array.ConvertAll(group, reading => reading.Data));
            await rows.WriteAsync(Signature, Array.ConvertAll(group, reading => reading.Signature));
            rows.CompleteValidate();
            foreach (var reading in group)
                digest.Add(reading);
        }
        return digest.Complete();
    }

    /// <summary>Reads what <see cref="WriteAsync"/> wrote.</summary>
    /// <exception cref="EvidenceException">It is no such file.</exception>
    public static async IAsyncEnumerable<ArchivedReading> ReadAsync(
        string path,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var reader = await TryAsync(path, () => ParquetReader.CreateAsync(path, cancellationToken: cancellationToken));
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            foreach (var reading in await TryAsync(path, () => ReadGroupAsync(path, reader, group, cancellationToken)))
                yield return reading;
        }
    }

    private static async Task<ArchivedReading[]> ReadGroupAsync(
        string path,
        ParquetReader reader,
        int group,
        CancellationToken cancellationToken
    )
    {
        using var rows = reader.OpenRowGroupReader(group);
        var count = checked((int)rows.RowCount);
        var (factoryIds, engineIds, keyIds, data) = (new string?[count], new string?[count], new string?[count], new string?[count]);
        var (measuredAt, verdictAt, signatures) = (new DateTime[count], new DateTime[count], new byte[]?[count]);
        await rows.ReadAsync(Field(FactoryId), factoryIds.AsMemory(), cancellationToken: cancellationToken);
        await rows.ReadAsync(Field(EngineId), engineIds.AsMemory(), cancellationToken: cancellationToken);
        await rows.ReadAsync<DateTime>(Field(MeasuredAt), measuredAt.AsMemory(), cancellationToken: cancellationToken);
        await rows.ReadAsync<DateTime>(Field(VerdictAt), verdictAt.AsMemory(), cancellationToken: cancellationToken);
        await rows.ReadAsync(Field(KeyId), keyIds.AsMemory(), cancellationToken: cancellationToken);
        await rows.ReadAsync(Field(Data), data.AsMemory(), cancellationToken: cancellationToken);
        await rows.ReadAsync(Field(Signature), signatures.AsMemory(), cancellationToken: cancellationToken);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new ArchivedReading(
                    factoryIds[i]!,
                    engineIds[i]!,
                    measuredAt[i],
                    verdictAt[i],
                    keyIds[i]!,
                    data[i]!,
                    signatures[i]!
                )),
        ];

        DataField Field(DataField wanted) =>
            reader.Schema.DataFields.FirstOrDefault(field =>
                field.Name == wanted.Name && field.ClrType == wanted.ClrType && !field.IsNullable
            ) ?? throw new EvidenceException($"{path} is no archive of readings: it has no column {wanted.Name} as 'archive' writes it.");
    }

    /// <summary>Of what a file holds.</summary>
    public static async Task<ArchiveDigest> DigestAsync(string path, CancellationToken cancellationToken)
    {
        using var digest = new Digest();
        await foreach (var reading in ReadAsync(path, cancellationToken))
            digest.Add(reading);
        return digest.Complete();
    }

    private static async Task<T> TryAsync<T>(string path, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (exception is not (EvidenceException or OperationCanceledException or OutOfMemoryException))
        {
            // What a damaged file makes the reader and the decompressor throw is of no one kind.
            throw new EvidenceException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private static DateTimeDataField Time(string name) =>
        new(name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: false);

    private sealed class Digest : IDisposable
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long readings;

        public void Add(ArchivedReading reading)
        {
            readings++;
            Add(reading.FactoryId);
            Add(reading.EngineId);
            Add(reading.MeasuredAt.Ticks);
            Add(reading.VerdictAt.Ticks);
            Add(reading.KeyId);
            Add(reading.Data);
            Add(reading.Signature);
        }

        public ArchiveDigest Complete() => new(readings, Convert.ToHexStringLower(hash.GetHashAndReset()));

        public void Dispose() => hash.Dispose();

        private void Add(string text) => Add(Encoding.UTF8.GetBytes(text));

        // Its length first, so that no two rows have the same bytes.
        private void Add(byte[] bytes)
        {
            Add(bytes.Length);
            hash.AppendData(bytes);
        }

        private void Add(long number)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
            hash.AppendData(bytes);
        }
    }
}
