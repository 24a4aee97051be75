namespace FactoryStream.Dashboard.Pipeline;

/// <summary>The answer of <c>/api/pipeline</c>. A part that is null could not be read.</summary>
/// <param name="LookedAt">When, UTC.</param>
/// <param name="Rates">What passed from step to step of late.</param>
/// <param name="Partitions">Of the three topics, those with the largest lag first.</param>
/// <param name="Verdicts">By reason; the accepted ones first.</param>
/// <param name="WindowDelay">How long after its end a window was written.</param>
/// <param name="Database">Its size and tables.</param>
/// <param name="Groups">The consumer groups of Verifier and Aggregator, and who is in them.</param>
/// <param name="DashboardVersion">Of the Dashboard that answers. Other services do not tell theirs.</param>
/// <param name="Failures">Why a part is missing, by its name.</param>
public sealed record PipelineState(
    DateTime LookedAt,
    FlowRates Rates,
    IReadOnlyList<PartitionState>? Partitions,
    IReadOnlyList<VerdictCount>? Verdicts,
    WindowDelay? WindowDelay,
    DatabaseState? Database,
    IReadOnlyList<GroupState>? Groups,
    string DashboardVersion,
    IReadOnlyDictionary<string, string> Failures
)
{
    /// <summary>How many messages of a topic are not in the database; null: not known.</summary>
    public long? LagOf(string topic) =>
        Partitions?.Where(partition => partition.Topic == topic).Aggregate((long?)0, (sum, partition) => sum + partition.Lag);
}

/// <summary>What passed in each second, from one step to the next; null: not known, or not yet looked at twice.</summary>
/// <param name="AcceptedReadings">Readings that Ingest put on <c>readings.signed</c>.</param>
/// <param name="SignedMessages">Messages that came to <c>readings.signed</c>.</param>
/// <param name="CheckedMessages">Messages of <c>readings.signed</c> that the Verifier has committed.</param>
/// <param name="VerifiedMessages">Messages that came to <c>readings.verified</c>.</param>
/// <param name="RejectedMessages">Messages that came to <c>readings.rejected</c>, refused ones included.</param>
/// <param name="VerifiedTakenIn">Messages of <c>readings.verified</c> that the Aggregator took in.</param>
/// <param name="RejectedTakenIn">Messages of <c>readings.rejected</c> that the Aggregator took in.</param>
/// <param name="StoredReadings">Readings that were stored.</param>
public sealed record FlowRates(
    double? AcceptedReadings,
    double? SignedMessages,
    double? CheckedMessages,
    double? VerifiedMessages,
    double? RejectedMessages,
    double? VerifiedTakenIn,
    double? RejectedTakenIn,
    double? StoredReadings
);

/// <summary>A partition's log and how far it is taken in.</summary>
/// <param name="Topic">One of the three.</param>
/// <param name="Partition">Its number.</param>
/// <param name="Begin">The first offset that Kafka still holds.</param>
/// <param name="End">The offset of the next message to come.</param>
/// <param name="TakenInUntil">By the checkpoint: the first offset that is not in the database; null: the database does not tell.</param>
/// <param name="Lag">How many messages are not in the database; null as above.</param>
public sealed record PartitionState(string Topic, int Partition, long Begin, long End, long? TakenInUntil, long? Lag);

/// <summary>Readings with one verdict.</summary>
/// <param name="Reason">A verdict's name.</param>
/// <param name="Refused">By Ingest, without a 202.</param>
/// <param name="LastMinute">Of the newest 10,000 lines at most; null: of accepted ones it is not known.</param>
/// <param name="InAll">As the ledger counts them.</param>
public sealed record VerdictCount(string Reason, bool Refused, long? LastMinute, long InAll);

/// <summary>From a window's end, by the machine's clock, to the writing of its row, by the database's.</summary>
/// <param name="Windows">The newest of each engine, written in the last minute and not corrected: how many.</param>
/// <param name="P50Seconds">Half of them took at most this; null: there are none.</param>
/// <param name="P99Seconds">99 of 100 took at most this.</param>
public sealed record WindowDelay(int Windows, double? P50Seconds, double? P99Seconds);

/// <summary>The database, looked at every half minute.</summary>
/// <param name="ServerVersion">PostgreSQL's.</param>
/// <param name="Bytes">All of it, on disk.</param>
/// <param name="Tables">The ten largest.</param>
public sealed record DatabaseState(string ServerVersion, long Bytes, IReadOnlyList<TableSize> Tables);

/// <summary>A table on disk, indexes included.</summary>
/// <param name="Table">Its name in the schema <c>factory</c>.</param>
/// <param name="Bytes">With all its table partitions.</param>
/// <param name="TablePartitions">How many; 0: it is not partitioned.</param>
/// <param name="Oldest">The name of the table partition with the earliest times.</param>
/// <param name="Newest">The name of that with the latest.</param>
public sealed record TableSize(string Table, long Bytes, long TablePartitions, string? Oldest, string? Newest);

/// <summary>A consumer group.</summary>
/// <param name="Group">Its id in Kafka.</param>
/// <param name="State">In Kafka's words, e.g. <c>Stable</c> or <c>Empty</c>.</param>
/// <param name="Members">An Aggregator is two of them.</param>
public sealed record GroupState(string Group, string State, IReadOnlyList<GroupMember> Members);

/// <summary>A member of a consumer group.</summary>
/// <param name="ClientId">What the client calls itself.</param>
/// <param name="Host">From where it is connected.</param>
/// <param name="Assigned">Its partitions.</param>
public sealed record GroupMember(string ClientId, string Host, IReadOnlyList<AssignedPartitions> Assigned);

/// <summary>Partitions of a topic.</summary>
public sealed record AssignedPartitions(string Topic, IReadOnlyList<int> Partitions);
