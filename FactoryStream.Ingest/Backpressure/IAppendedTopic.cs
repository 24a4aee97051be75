namespace FactoryStream.Ingest.Backpressure;

/// <summary>A topic that this process appends to: it is told how many partitions there are, and how far each is stored.</summary>
internal interface IAppendedTopic
{
    /// <summary>The number of partitions is known; it stays for this process's life.</summary>
    void Open(int partitionCount);

    /// <summary>What was found out of a partition.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="stored">All below this offset is stored.</param>
    /// <param name="end">Where the partition ends.</param>
    /// <returns>What other producers have in it that is not stored, estimated.</returns>
    (long Bytes, long Readings) Observe(int partition, long stored, long end);
}
