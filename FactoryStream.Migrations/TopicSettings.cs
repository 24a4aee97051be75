using System.Globalization;
using FactoryStream.Contracts;

namespace FactoryStream.Migrations;

/// <summary>What a topic is to be set to, and what of that may be done to one that is there.</summary>
internal static class TopicSettings
{
    public const string RetentionTime = "retention.ms";
    public const string RetentionBytes = "retention.bytes";
    private const string MaxMessageBytes = "max.message.bytes";
    private const string MinInsyncReplicas = "min.insync.replicas";
    private const int SmallestSegment = 1 << 20,
        LargestSegment = 1 << 30;

    /// <summary>A verified message is a little longer than its source.</summary>
    private const long VerifiedMessageBytes = 4 << 20;

    /// <summary>As Ingest makes them by default; what waits is held against retention with this.</summary>
    private const long MessageBytes = 64 << 10;

    /// <summary>All that is stated of a topic.</summary>
    /// <param name="topic">Which one.</param>
    /// <param name="replicas">How many it has; less than 1: not known yet.</param>
    /// <param name="options">What is wanted.</param>
    public static Dictionary<string, long> Of(string topic, int replicas, MigrationsOptions options)
    {
        var kept = options.RetentionMebibytes * (1L << 20);
        var settings = new Dictionary<string, long>
        {
            [RetentionTime] = (long)options.Retention.TotalMilliseconds,
            [RetentionBytes] = kept,
            // Kafka drops whole segments that are no longer written to, so a large one would stay long after its time.
            ["segment.bytes"] = Math.Clamp(kept / 4, SmallestSegment, LargestSegment),
        };
        if (topic != TopicNames.Signed)
            settings[MaxMessageBytes] = VerifiedMessageBytes;
        if (replicas > 0 && options.MinInsyncReplicas > replicas)
        {
            throw new InvalidOperationException(
                $"Migrations:MinInsyncReplicas: expected at most the {replicas} replicas of {topic}, "
                    + $"found {options.MinInsyncReplicas}, with which nothing could be written."
            );
        }
        if (options.MinInsyncReplicas > 0)
            settings[MinInsyncReplicas] = options.MinInsyncReplicas;
        else if (replicas >= 3)
            settings[MinInsyncReplicas] = 2;
        return settings;
    }

    /// <summary>What of the wanted settings a topic has otherwise. What protects it is raised and never lowered.</summary>
    public static Dictionary<string, long> Changes(IReadOnlyDictionary<string, long> wanted, IReadOnlyDictionary<string, long> present) =>
        wanted
            .Where(setting =>
                !present.TryGetValue(setting.Key, out var value)
                || (value != setting.Value && !(setting.Key is MaxMessageBytes or MinInsyncReplicas && value > setting.Value))
            )
            .ToDictionary();

    /// <summary>Whether less would be kept than before; -1 is all.</summary>
    public static bool IsLess(string setting, long wanted, long present) =>
        setting is RetentionTime or RetentionBytes && (present < 0 || wanted < present);

    /// <summary>Whether so many messages of a partition may wait while less is kept from now on: they must not be what goes.</summary>
    public static bool MayKeepLess(IReadOnlyDictionary<string, long> wanted, long waiting) =>
        waiting * MessageBytes <= wanted[RetentionBytes] / 2;

    /// <summary>As Kafka writes it.</summary>
    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
