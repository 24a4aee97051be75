using FactoryStream.Contracts;
using FactoryStream.Migrations;

namespace FactoryStream.Tests.Migrations;

public sealed class TopicSettingsTests
{
    private static readonly MigrationsOptions Options = new() { Retention = TimeSpan.FromHours(1), RetentionMebibytes = 16 };

    [Fact]
    public void Every_topic_states_what_it_keeps()
    {
        foreach (var topic in TopicNames.All)
        {
            var settings = TopicSettings.Of(topic, 1, Options);
            Assert.Equal(
                (3_600_000, 16 << 20, 4 << 20),
                (settings["retention.ms"], settings["retention.bytes"], settings["segment.bytes"])
            );
        }
    }

    [Theory]
    [InlineData(1, 0, null)]
    [InlineData(2, 0, null)]
    [InlineData(3, 0, 2L)]
    [InlineData(5, 3, 3L)]
    public void Two_replicas_must_have_a_message_where_there_are_three(int replicas, int option, long? expected)
    {
        var settings = TopicSettings.Of(TopicNames.Signed, replicas, new MigrationsOptions { MinInsyncReplicas = option });
        Assert.Equal(expected, settings.TryGetValue("min.insync.replicas", out var value) ? value : null);
    }

    [Fact]
    public void More_replicas_than_exist_are_not_waited_for() =>
        Assert.Throws<InvalidOperationException>(() =>
            TopicSettings.Of(TopicNames.Signed, 2, new MigrationsOptions { MinInsyncReplicas = 3 })
        );

    [Fact]
    public void A_setting_that_protects_a_topic_is_raised_and_never_lowered()
    {
        Dictionary<string, long> wanted = new()
        {
            ["min.insync.replicas"] = 2,
            ["max.message.bytes"] = 10,
            ["retention.ms"] = 7,
            ["retention.bytes"] = 5,
        };

        var changes = TopicSettings.Changes(
            wanted,
            new Dictionary<string, long>
            {
                ["min.insync.replicas"] = 3,
                ["max.message.bytes"] = 9,
                ["retention.ms"] = 7,
                ["retention.bytes"] = -1,
            }
        );

        Assert.Equal(new Dictionary<string, long> { ["max.message.bytes"] = 10, ["retention.bytes"] = 5 }, changes);
    }

    [Fact]
    public void Retention_is_lowered_only_where_messages_that_wait_are_kept()
    {
        Assert.True(TopicSettings.IsLess("retention.bytes", 5, -1));
        Assert.True(TopicSettings.IsLess("retention.ms", 5, 6));
        Assert.False(TopicSettings.IsLess("retention.ms", 5, 4));
        Assert.False(TopicSettings.IsLess("segment.bytes", 5, 6));
        var wanted = TopicSettings.Of(TopicNames.Signed, 1, Options);
        // 8 MiB, half of it, are 128 messages of 64 KiB.
        Assert.True(TopicSettings.MayKeepLess(wanted, 128));
        Assert.False(TopicSettings.MayKeepLess(wanted, 129));
    }
}
