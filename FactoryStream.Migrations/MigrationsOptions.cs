using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Migrations;

/// <summary>How database and topics are made ready; section <c>Migrations</c>.</summary>
internal sealed class MigrationsOptions
{
    public const string Section = "Migrations";

    /// <summary>
    /// Partitions of each topic that is not there yet. An engine is in one partition, so this bounds how many Verifiers and Aggregators
    /// share the work. Default 12.
    /// </summary>
    [Range(1, 10_000)]
    public int Partitions { get; set; } = 12;

    /// <summary>Copies of each topic that is not there yet; -1: the broker's default. Default -1.</summary>
    [Range(-1, 100)]
    public short ReplicationFactor { get; set; } = -1;

    /// <summary>
    /// How long Kafka keeps a message, by <c>retention.ms</c> of all three topics: the longest that the Aggregator or its database may be
    /// away. What is stored is in PostgreSQL, so this is no archive. Default 7 days: a week's end and a day to notice.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Mebibytes that Kafka keeps of each partition of each topic, by <c>retention.bytes</c>; Ingest accepts up to half of them unstored.
    /// Segments are of a quarter, so a partition has at most five quarters. Default 192: with 12 partitions and three topics that is 8.4
    /// GiB a replica, which fits the 10 GiB of the chart's own Kafka; a plant with a larger disk may give more.
    /// </summary>
    [Range(8, 4_194_304)]
    public int RetentionMebibytes { get; set; } = 192;

    /// <summary>
    /// Replicas that must have a message before it counts as acknowledged (<c>min.insync.replicas</c>). 0: two where a topic has three or
    /// more, else the broker's default; with one replica there is nothing to wait for, and with two the loss of either would stop
    /// everything. Default 0.
    /// </summary>
    [Range(0, 100)]
    public int MinInsyncReplicas { get; set; }

    /// <summary>Topics that are there already get these settings, too. False: whoever made them looks after them. Default true.</summary>
    public bool AlterTopics { get; set; } = true;

    /// <summary>
    /// Takes note that topics were enlarged: engines are spread over all partitions from then on. Only when nothing is on its way; else the
    /// program ends with exit code 1 and has changed nothing. Default false.
    /// </summary>
    public bool Repartition { get; set; }

    /// <summary>How long database and broker are waited for. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(5);
}
