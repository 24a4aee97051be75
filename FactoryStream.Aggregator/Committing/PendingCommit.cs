using System.Buffers.Text;
using System.Diagnostics;
using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Consuming;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Signatures;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Committing;

/// <summary>
/// A reading out of a verified message. Its bytes are slices of the message's value and of the pending commit's own buffers.
/// It has a signature of its own, or is of the signed batch <see cref="SignedBatch"/> of <see cref="PendingCommit.SignedBatches"/>
/// (-1: of none).
/// </summary>
internal readonly record struct DecodedReading(
    int Partition,
    string FactoryId,
    string EngineId,
    string KeyId,
    DateTime MeasuredAt,
    DateTime VerdictAt,
    ReadOnlyMemory<byte> Data,
    int SignatureStart,
    int SignatureLength,
    int MetricStart,
    int MetricCount,
    int SignedBatch
);

/// <summary>A signed batch out of a verified message: the evidence of several readings.</summary>
internal readonly record struct DecodedBatch(
    string KeyId,
    DateTime MeasuredUntil,
    DateTime VerdictAt,
    ReadOnlyMemory<byte> Data,
    byte[] Sha256,
    int SignatureStart,
    int SignatureLength
);

/// <summary>
/// What several messages of several partitions bring, decoded and ready for one transaction. Filled by the consuming thread while the one
/// before it commits; reused, so that its buffers grow once. Not thread-safe.
/// </summary>
internal sealed class PendingCommit
{
    private const int HashLength = 32;

    // What most commits need; larger ones double it once.
    private const int FirstReadings = 1_024,
        FirstSignatureBytes = 256 << 10;

    private readonly List<DecodedReading> readings = [];
    private readonly List<DecodedBatch> signedBatches = [];
    private readonly List<Metric> metrics = [];
    private readonly HashSet<PartitionProgress> touched = [];
    private readonly MessageBytes bytes = new();
    private TrackedEngine?[] engines = new TrackedEngine?[FirstReadings];
    private byte[] hashes = new byte[HashLength * FirstReadings];
    private byte[] signatures = new byte[FirstSignatureBytes];
    private int signaturesLength;

    public IReadOnlyList<DecodedReading> Readings => readings;

    public IReadOnlyList<DecodedBatch> SignedBatches => signedBatches;

    public List<RejectionEntry> Rejections { get; } = [];

    /// <summary>As <see cref="Readings"/>, without the interface in between.</summary>
    public ReadOnlySpan<DecodedReading> ReadingsSpan => CollectionsMarshal.AsSpan(readings);

    /// <summary>
    /// Readings of <c>readings.signed</c> that are accounted for here though they are not among <see cref="Readings"/>, by partition and
    /// factory.
    /// </summary>
    public Dictionary<(int Partition, string FactoryId), long> AcceptedElsewhere { get; } = [];

    /// <summary>Messages that retention took before they were taken in, by topic and partition.</summary>
    public Dictionary<(string Topic, int Partition), long> Losses { get; } = [];

    /// <summary>The sampled traces of its messages.</summary>
    public List<ActivityContext> Traces { get; } = [];

    public List<CheckpointStep> Steps { get; } = [];

    public int MessageCount { get; private set; }

    /// <summary>Bytes of its messages' values.</summary>
    public long ByteCount { get; private set; }

    public int RowCount => readings.Count + Rejections.Count;

    public ReadOnlyMemory<byte> Hash(int index) => hashes.AsMemory(index * HashLength, HashLength);

    public UInt128 Identity(int index) => MemoryMarshal.Read<UInt128>(hashes.AsSpan(index * HashLength));

    public ReadOnlyMemory<byte> Signature(in DecodedReading reading) =>
        signatures.AsMemory(reading.SignatureStart, reading.SignatureLength);

    public ReadOnlyMemory<byte> Signature(in DecodedBatch signed) => signatures.AsMemory(signed.SignatureStart, signed.SignatureLength);

    public ReadOnlySpan<Metric> Metrics(in DecodedReading reading) =>
        CollectionsMarshal.AsSpan(metrics).Slice(reading.MetricStart, reading.MetricCount);

    /// <summary>The engine of a reading, once it is resolved (<see cref="EngineDirectory.ResolveAsync"/>).</summary>
    public TrackedEngine Engine(int index) =>
        engines[index] ?? throw new InvalidOperationException($"The engine of reading {index} is not resolved.");

    public void SetEngine(int index, TrackedEngine? engine) => engines[index] = engine;

    public void Clear()
    {
        Array.Clear(engines, 0, readings.Count);
        readings.Clear();
        signedBatches.Clear();
        metrics.Clear();
        touched.Clear();
        signaturesLength = 0;
        Rejections.Clear();
        AcceptedElsewhere.Clear();
        Losses.Clear();
        ByteCount = 0;
        Traces.Clear();
        Steps.Clear();
        MessageCount = 0;
        bytes.Reset();
    }

    /// <summary>Ends the decoding: the steps that the transaction takes its partitions on.</summary>
    /// <param name="alsoFenced">Partitions without a message that the transaction changes windows of.</param>
    public void Seal(IEnumerable<PartitionProgress> alsoFenced)
    {
        foreach (var progress in alsoFenced)
            touched.Add(progress);
        foreach (var progress in touched)
            Steps.Add(progress.TakeStep());
    }

    /// <summary>Begins with a message; a copy of its value, which stays until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> AddMessage(ReadOnlySpan<byte> value, PartitionProgress progress)
    {
        touched.Add(progress);
        MessageCount++;
        ByteCount += value.Length;
        return bytes.Keep(value);
    }

    /// <summary>Adds a signature, base64; where its bytes are.</summary>
    public (int Start, int Length) AddSignature(ReadOnlySpan<byte> base64)
    {
        var space = Base64.GetMaxDecodedFromUtf8Length(base64.Length);
        if (signaturesLength + space > signatures.Length)
            Array.Resize(ref signatures, Math.Max(signatures.Length * 2, signaturesLength + space));
        // The parser has seen that it is base64.
        Base64.DecodeFromUtf8(base64, signatures.AsSpan(signaturesLength), out _, out var length);
        var start = signaturesLength;
        signaturesLength += length;
        return (start, length);
    }

    /// <summary>Adds a signed batch; its index.</summary>
    public int AddSignedBatch(in DecodedBatch signed)
    {
        signedBatches.Add(signed);
        return signedBatches.Count - 1;
    }

    /// <summary>Adds a reading, and hashes its data.</summary>
    /// <param name="reading">The reading; the place of its metrics is set here.</param>
    /// <param name="values">Its metrics.</param>
    public void AddReading(in DecodedReading reading, ReadOnlySpan<Metric> values)
    {
        var index = readings.Count;
        if (index == engines.Length)
        {
            Array.Resize(ref engines, index * 2);
            Array.Resize(ref hashes, index * 2 * HashLength);
        }
        Sha256Digests.Hash(reading.Data.Span, hashes.AsSpan(index * HashLength, HashLength));
        readings.Add(reading with { MetricStart = metrics.Count, MetricCount = values.Length });
        metrics.AddRange(values);
    }

    /// <summary>Counts readings as accepted by Ingest that are not among <see cref="Readings"/>.</summary>
    /// <param name="partition">Of <c>readings.signed</c>.</param>
    /// <param name="factoryId">
    /// The factory's. A header of another program may hold what can be no factory's id: the ledger counts that as unknown.
    /// </param>
    /// <param name="count">How many.</param>
    public void CountAccepted(int partition, string factoryId, int count) =>
        CollectionsMarshal.GetValueRefOrAddDefault(
            AcceptedElsewhere,
            (partition, StorableText.IsName(factoryId) ? factoryId : ""),
            out _
        ) += count;

    public void CountLost(string topic, int partition, long messages) =>
        CollectionsMarshal.GetValueRefOrAddDefault(Losses, (topic, partition), out _) += messages;

    /// <summary>Takes readings out that are not to be stored: each becomes a rejection, and counts as accepted by Ingest.</summary>
    /// <param name="reasonOf">Why not, by a reading's index; null: it stays. Asked in order, once each.</param>
    public void Reject(Func<int, (Verdict Reason, string Detail)?> reasonOf)
    {
        var kept = 0;
        for (var i = 0; i < readings.Count; i++)
        {
            var reading = readings[i];
            if (reasonOf(i) is not { } wrong)
            {
                readings[kept] = reading;
                Hash(i).CopyTo(hashes.AsMemory(kept * HashLength));
                engines[kept] = engines[i];
                kept++;
                continue;
            }
            CountAccepted(reading.Partition, reading.FactoryId, 1);
            Rejections.Add(
                new RejectionEntry(
                    reading.Partition,
                    reading.VerdictAt,
                    reading.FactoryId,
                    wrong.Reason.ToName(),
                    false,
                    wrong.Detail,
                    reading.Data.ToArray(),
                    null,
                    null
                )
            );
        }
        Array.Clear(engines, kept, readings.Count - kept);
        readings.RemoveRange(kept, readings.Count - kept);
    }
}
