using System.ComponentModel.DataAnnotations;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator;

/// <summary>The Aggregator's settings; section <c>Aggregator</c>.</summary>
internal sealed class AggregatorOptions : IValidatableObject
{
    public const string Section = "Aggregator";

    /// <summary>The token that <c>POST /purge</c> needs, which deletes all data. Default: none, and then nobody may.</summary>
    public string? AdminToken { get; set; }

    /// <summary>A window's length, at least a second. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan WindowLength { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How much older than its engine's newest a reading may be without being late. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan Lateness { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an engine may send nothing before its open windows close by the wall clock. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Transactions under way at once, each over a connection of its own and of partitions of its own. Default 2.</summary>
    [Range(1, 64)]
    public int Parallelism { get; set; } = 2;

    /// <summary>
    /// Least time from one transaction's begin to the next one's of the same partitions, unless a quarter of <see
    /// cref="MaxCommitReadings"/> has come: a transaction costs as much as hundreds of readings. Default 50 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Most readings of one transaction, give or take a message; two pending commits for each of <see cref="Parallelism"/> are in memory at
    /// once. Default 8,192.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxCommitReadings { get; set; } = 8_192;

    /// <summary>Most kilobytes of messages in one transaction, give or take a message. Default 32,768.</summary>
    [Range(1, 1_048_576)]
    public int MaxCommitKilobytes { get; set; } = 32_768;

    /// <summary>Most memory of messages fetched ahead, in kilobytes. Default 16,384.</summary>
    [Range(64, 1_048_576)]
    public int MaxFetchedKilobytes { get; set; } = 16_384;

    /// <summary>
    /// Most names of metrics of one engine, all that it has ever sent together; a reading that would bring more is rejected
    /// (<c>too_many_metrics</c>). Default 1,024.
    /// </summary>
    [Range(1, 65_536)]
    public int MaxMetricsPerEngine { get; set; } = 1_024;

    /// <summary>Most engines of one factory; a reading of one more is rejected (<c>too_many_engines</c>). Default 100,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxEnginesPerFactory { get; set; } = 100_000;

    /// <summary>
    /// Days that raw readings are kept; 0: for ever. Windows and the ledger stay. A reading that was older when its verdict was given is
    /// rejected (<c>too_old</c>): its first copy may be dropped, so a second one could not be recognised. Default 0.
    /// </summary>
    [Range(0, 36_500)]
    public int RetentionDays { get; set; }

    /// <summary>
    /// How much longer than <see cref="RetentionDays"/> they stay, for what had its verdict and is stored later: a longer backlog than this
    /// may store a second copy of what is gone. Default a day.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00")]
    public TimeSpan RetentionGrace { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Days that windows of ten seconds are kept; 0: for ever. Those of a day are. At least <see cref="RetentionDays"/> and <see
    /// cref="RetentionGrace"/>, for so long may a late reading correct one. Default 0.
    /// </summary>
    [Range(0, 36_500)]
    public int WindowRetentionDays { get; set; }

    /// <summary>Days that windows of a minute are kept; 0: for ever. No fewer than <see cref="WindowRetentionDays"/>. Default 0.</summary>
    [Range(0, 36_500)]
    public int MinuteRetentionDays { get; set; }

    /// <summary>Days that windows of an hour are kept; 0: for ever. No fewer than <see cref="MinuteRetentionDays"/>. Default 0.</summary>
    [Range(0, 36_500)]
    public int HourRetentionDays { get; set; }

    /// <summary>How often closed windows are rolled up into minutes, hours and days. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan RollupInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Days that refused and rejected lines are kept; 0: for ever. Their counts stay. Default 90.</summary>
    [Range(0, 36_500)]
    public int RejectionRetentionDays { get; set; } = 90;

    /// <summary>Gigabytes (2^30) of refused and rejected lines that are kept, the newest; 0: any number. Default 10.</summary>
    [Range(0, 1_000_000)]
    public int MaxRejectionGigabytes { get; set; } = 10;

    /// <summary>
    /// Days that lines which no enrolled key fits (<c>unknown_key</c>) are kept at least, so that they can be sent again when the key comes
    /// late; 0: no promise. By size, for the newest of them that take up to a quarter of <see cref="MaxRejectionGigabytes"/>: anybody may
    /// send such lines. Default 7.
    /// </summary>
    [Range(0, 36_500)]
    public int UnknownKeyRetentionDays { get; set; } = 7;

    /// <summary>
    /// Days that alerts are kept after they are over, with their events and what was delivered of them; 0: for ever. Default 400.
    /// </summary>
    [Range(0, 36_500)]
    public int AlertRetentionDays { get; set; } = 400;

    /// <summary>
    /// Bytes that make Kafka respond to a fetch at once; less waits up to <see cref="FetchWait"/> for more. Few large responses cost the
    /// broker much less than many small ones. Default 128 KiB.
    /// </summary>
    [Range(1, 16 << 20)]
    public int FetchMinBytes { get; set; } = 128 << 10;

    /// <summary>Longest that Kafka waits for <see cref="FetchMinBytes"/>. Default 20 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan FetchWait { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// How often the group's offsets are committed to Kafka. They only show the lag, which Ingest's back-pressure reads. Default
    /// 200 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan OffsetCommitInterval { get; set; } = TimeSpan.FromMilliseconds(200);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var lateDays = RetentionDays + (int)Math.Ceiling(RetentionGrace.TotalDays);
        if (WindowRetentionDays > 0 && (RetentionDays == 0 || WindowRetentionDays < lateDays))
            yield return new(
                $"{nameof(WindowRetentionDays)} needs {nameof(RetentionDays)}, and no fewer days than that and {nameof(RetentionGrace)} "
                    + "together: a late reading may correct a window for so long.",
                [nameof(WindowRetentionDays)]
            );
        if (IsShorter(MinuteRetentionDays, WindowRetentionDays))
            yield return new(
                $"{nameof(MinuteRetentionDays)} must not be less than {nameof(WindowRetentionDays)}.",
                [nameof(MinuteRetentionDays)]
            );
        if (IsShorter(HourRetentionDays, MinuteRetentionDays))
            yield return new(
                $"{nameof(HourRetentionDays)} must not be less than {nameof(MinuteRetentionDays)}.",
                [nameof(HourRetentionDays)]
            );

        static bool IsShorter(int days, int than) => days > 0 && (than == 0 || days < than);
    }

    /// <summary>Days that windows of each step are kept; 0: for ever.</summary>
    public IReadOnlyList<(WindowStep Step, int Days)> WindowRetention =>
        [(WindowStep.TenSeconds, WindowRetentionDays), (WindowStep.Minute, MinuteRetentionDays), (WindowStep.Hour, HourRetentionDays)];

    public WindowingRules Rules => new(WindowLength.Ticks, Lateness.Ticks, IdleTimeout.Ticks);
}
