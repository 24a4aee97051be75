using Confluent.Kafka;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// What a service has still to read before it may end, so that all that was answered 202 is stored. Settings, under the broker's name:
/// <c>drain:SERVICE:group</c> and <c>drain:SERVICE:topics</c> (what it must have read), <c>drain-seconds</c> (30: how long it may take).
/// </summary>
internal sealed class KafkaDrain(KafkaConnection kafka, IConfigurationSection settings, TimeProvider clock)
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Waits until a service has read all that its group was given, or the time is up.</summary>
    public async Task WaitAsync(string service, Action<string> say, CancellationToken cancellationToken)
    {
        var drain = settings.GetSection("drain").GetSection(service);
        if (drain["group"] is not { } group || drain.GetSection("topics").Get<string[]>() is not { Length: > 0 } topics)
            return;
        var patience = TimeSpan.FromSeconds(settings.GetValue("drain-seconds", 30.0));
        var started = clock.GetTimestamp();
        var isFirst = true;
        // It never joins: a group's offsets are asked for by one of its own name. A broker that is not there is said once, below.
        using var member = kafka.QuietConsumer<Ignore, Ignore>(
            new ConsumerConfig
            {
                GroupId = group,
                EnableAutoCommit = false,
                ReconnectBackoffMaxMs = 500,
            }
        );
        using var admin = new DependentAdminClientBuilder(member.Handle).Build();
        try
        {
            while (await LagAsync(member, admin, topics) is > 0 and var lag)
            {
                if (isFirst)
                    say($"{lag} messages of {string.Join(", ", topics)} are left to be read first.");
                isFirst = false;
                if (clock.GetElapsedTime(started) > patience)
                {
                    say($"{lag} messages of {string.Join(", ", topics)} are left unread after {patience.TotalSeconds:F0} s.");
                    return;
                }
                await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancellationToken);
            }
        }
        catch (KafkaException exception)
        {
            say($"It is not known whether all of {string.Join(", ", topics)} was read: {exception.Message}");
        }
    }

    private static async Task<long> LagAsync(IConsumer<Ignore, Ignore> member, IAdminClient admin, string[] topics)
    {
        var partitions = topics
            .SelectMany(topic =>
                admin
                    .GetMetadata(topic, RequestTimeout)
                    .Topics[0]
                    .Partitions.Select(partition => new TopicPartition(topic, partition.PartitionId))
            )
            .ToList();
        if (partitions.Count == 0)
            return 0;
        var extents = await admin.ExtentsAsync(partitions, RequestTimeout);
        var committed = await member.CommittedAsync(partitions, RequestTimeout);
        return extents.Sum(log => log.Value.From(committed.GetValueOrDefault(log.Key)));
    }
}
