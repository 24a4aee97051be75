using System.Globalization;
using FactoryStream.Tests.Storage;
using Npgsql;
using static FactoryStream.Tests.Aggregator.ConsumedMessages;

namespace FactoryStream.Tests.Aggregator;

/// <summary>A reading's rpm is its second, unless a test says otherwise.</summary>
[Collection(DatabaseTests.Name)]
public sealed class AlertTests(PostgresFixture postgres)
{
    private const string Alerts = """
        SELECT alert_no, state, to_char(raised_at, 'MI:SS'), to_char(cleared_at, 'MI:SS'), value, revision FROM factory.alerts
        ORDER BY alert_no
        """;

    private const string Events = """
        SELECT alert_no, event, to_char(window_start, 'MI:SS'), to_char(window_end, 'MI:SS'), value FROM factory.alert_events
        ORDER BY event_no
        """;

    [SkippableFact]
    public async Task An_alert_is_raised_and_cleared_by_the_windows_that_close_in_the_commit()
    {
        await using var owner = await StartAsync();
        await owner.CommitAsync(Message(0, "0:2", Single(5), Single(12)));
        Assert.Empty(await owner.RowsAsync(Alerts));

        await owner.CommitAsync(Message(1, "1:1", Single(22)));
        Assert.Equal(["1|raised|00:20||12|0"], await owner.RowsAsync(Alerts));
        Assert.Equal(
            ["slow|threshold|alarm|f|e|rpm"],
            await owner.RowsAsync(
                "SELECT name, kind, severity, a.factory_id, engine_id, metric FROM factory.alerts a JOIN factory.engines USING (engine_no)"
            )
        );

        await owner.CommitAsync(Message(2, "2:1", Single(35)));
        Assert.Equal(["1|cleared|00:20|00:30|12|0"], await owner.RowsAsync(Alerts));
        Assert.Equal(["1|raised|00:10|00:20|12", "1|cleared|00:20|00:30|22"], await owner.RowsAsync(Events));
    }

    [SkippableFact]
    public async Task Windows_that_close_at_once_leave_an_alert_that_is_over_and_its_history()
    {
        await using var owner = await StartAsync();

        await owner.CommitAsync(Message(0, "0:4", Single(5), Single(12), Single(22), Single(35)));

        Assert.Equal(["1|cleared|00:20|00:30|12|0"], await owner.RowsAsync(Alerts));
        Assert.Equal(["1|raised|00:10|00:20|12", "1|cleared|00:20|00:30|22"], await owner.RowsAsync(Events));
    }

    [SkippableFact]
    public async Task A_commit_that_fails_leaves_no_alert_and_the_same_messages_raise_it_once()
    {
        await using var owner = await StartAsync();
        await owner.RowsAsync("ALTER TABLE factory.alert_events ADD CONSTRAINT refused CHECK (event <> 'raised')");
        var messages = Message(0, "0:3", Single(5), Single(12), Single(22));
        await Assert.ThrowsAsync<PostgresException>(() => owner.CommitAsync(messages));
        Assert.Empty(await owner.RowsAsync(Alerts));
        Assert.Empty(await owner.RowsAsync("SELECT 1 FROM factory.engine_windows"));

        await owner.RowsAsync("ALTER TABLE factory.alert_events DROP CONSTRAINT refused");
        await owner.RestartAsync();
        await owner.CommitAsync(messages);
        await owner.RestartAsync();
        await owner.CommitAsync(Message(1, "0:3", Single(5), Single(12), Single(22)));
        await owner.CommitAsync(Message(2, "1:1", Single(23)));

        Assert.Equal(["raised"], await owner.RowsAsync("SELECT state FROM factory.alerts"));
        Assert.Equal(["raised"], await owner.RowsAsync("SELECT event FROM factory.alert_events"));
    }

    [SkippableFact]
    public async Task An_alert_that_was_raised_before_a_restart_is_cleared_after_it()
    {
        await using var owner = await StartAsync();
        await owner.CommitAsync(Message(0, "0:3", Single(5), Single(12), Single(22)));
        await owner.RestartAsync();

        await owner.CommitAsync(Message(1, "1:1", Single(35)));

        Assert.Equal(["1|cleared|00:20|00:30|12|0"], await owner.RowsAsync(Alerts));
    }

    [SkippableFact]
    public async Task A_correction_withdraws_an_alert_and_another_raises_it_with_the_corrected_windows_time()
    {
        await using var owner = await StartAsync();
        await owner.CommitAsync(Message(0, "0:3", Single(5), Single(12), Single(22)));
        await owner.CommitAsync(Message(1, "1:1", Single(35)));

        await owner.CommitAsync(Message(2, "2:1", Reading(13, 1000)));
        Assert.Equal(["1|withdrawn|00:20|00:30|12|1"], await owner.RowsAsync(Alerts));

        await owner.CommitAsync(Message(3, "3:1", Reading(14, -1000)));
        Assert.Equal(["1|withdrawn|00:20|00:30|12|1", "2|cleared|00:20|00:30|4|0"], await owner.RowsAsync(Alerts));
        Assert.Equal(
            [
                "1|raised|00:10|00:20|12",
                "1|cleared|00:20|00:30|22",
                "1|withdrawn|00:10|00:20|",
                "2|raised|00:10|00:20|4",
                "2|cleared|00:20|00:30|22",
            ],
            await owner.RowsAsync(Events)
        );
    }

    [SkippableFact]
    public async Task A_correction_may_raise_a_cleared_alert_again()
    {
        await using var owner = await StartAsync();
        await owner.CommitAsync(Message(0, "0:4", Single(5), Single(12), Single(22), Single(35)));

        await owner.CommitAsync(Message(1, "1:2", Reading(23, -6), Single(36)));

        Assert.Equal(["1|raised|00:20||12|1"], await owner.RowsAsync(Alerts));
    }

    [SkippableFact]
    public async Task Rules_of_other_engines_metrics_and_those_turned_off_raise_nothing()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await AddRuleAsync(owner, "'threshold', 'g', NULL, 'rpm', 'below', 'mean', 100, 0");
        await AddRuleAsync(owner, "'threshold', 'f', 'e2', 'rpm', 'below', 'mean', 100, 0");
        await AddRuleAsync(owner, "'threshold', NULL, NULL, 'air', 'below', 'mean', 100, 0");
        await AddRuleAsync(owner, "'threshold', NULL, NULL, 'rpm', 'below', 'mean', 100, 0");
        await owner.RowsAsync("UPDATE factory.alert_rules SET is_enabled = false WHERE rule_no = 4");
        await owner.RestartAsync();

        await owner.CommitAsync(Message(0, "0:2", Single(5), Single(22)));
        Assert.Empty(await owner.RowsAsync(Alerts));

        await owner.CommitAsync(Message(1, "1:2", Of("e2", 5), Of("e2", 22)));
        Assert.Equal(["2"], await owner.RowsAsync("SELECT rule_no FROM factory.alerts"));
    }

    [SkippableFact]
    public async Task Without_a_rule_a_commit_does_not_look_at_alerts()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.RowsAsync("DROP TABLE factory.alerts, factory.alert_events CASCADE");

        await owner.CommitAsync(Message(0, "0:3", Single(5), Single(12), Single(22)));

        Assert.Equal(["2"], await owner.RowsAsync("SELECT count(*) FROM factory.engine_windows"));
    }

    [SkippableFact]
    public async Task Silence_is_raised_once_by_the_clock_and_cleared_by_the_next_window()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await AddRuleAsync(owner, "'silence', NULL, NULL, NULL, 'above', 'mean', 0, 60");
        await owner.RestartAsync();
        await owner.CommitAsync(Message(0, "0:2", Single(5), Single(12)));
        await owner.WatchAlertsAsync();
        Assert.Empty(await owner.RowsAsync(Alerts));

        await owner.RowsAsync("UPDATE factory.engines SET windows_written_at = now() - interval '61 seconds'");
        await owner.WatchAlertsAsync();
        await owner.WatchAlertsAsync();
        Assert.Equal(
            ["raised|True|60"],
            await owner.RowsAsync(
                "SELECT state, raised_at = windows_written_at + interval '60 seconds', value FROM factory.alerts JOIN factory.engines "
                    + "USING (engine_no)"
            )
        );

        await owner.CommitAsync(Message(1, "1:1", Single(22)));
        await owner.WatchAlertsAsync();
        Assert.Equal(["raised", "cleared"], await owner.RowsAsync("SELECT event FROM factory.alert_events ORDER BY event_no"));
    }

    [SkippableFact]
    public async Task Rejections_of_a_factory_raise_one_alert_until_they_are_fewer()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await AddRuleAsync(owner, "'rejections', NULL, NULL, NULL, 'above', 'mean', 2, 60");
        const string Reject = """
            INSERT INTO factory.rejections (rejected_at, factory_id, reason, refused, line, unknown_factory)
            SELECT now(), 'f', 'future', false, '', false
            """;
        await owner.RowsAsync($"{Reject}; {Reject}");
        await owner.WatchAlertsAsync();
        Assert.Empty(await owner.RowsAsync(Alerts));

        await owner.RowsAsync($"{Reject}; {Reject}");
        await owner.WatchAlertsAsync();
        await owner.WatchAlertsAsync();
        Assert.Equal(["raised|f||3"], await owner.RowsAsync("SELECT state, factory_id, engine_no, value FROM factory.alerts"));

        await owner.RowsAsync("UPDATE factory.rejections SET rejected_at = rejected_at - interval '61 seconds'");
        await owner.WatchAlertsAsync();
        Assert.Equal(["raised|3", "cleared|0"], await owner.RowsAsync("SELECT event, value FROM factory.alert_events ORDER BY event_no"));
    }

    [SkippableFact]
    public async Task The_alerts_of_a_rule_that_is_deleted_are_cleared_with_the_reason()
    {
        await using var owner = await StartAsync();
        await owner.CommitAsync(Message(0, "0:3", Single(5), Single(12), Single(22)));
        await owner.RowsAsync("DELETE FROM factory.alert_rules");

        await owner.WatchAlertsAsync();
        await owner.WatchAlertsAsync();

        Assert.Equal(["cleared"], await owner.RowsAsync("SELECT state FROM factory.alerts"));
        Assert.Equal(
            ["raised|", "cleared|its rule was deleted, turned off or made another"],
            await owner.RowsAsync("SELECT event, comment FROM factory.alert_events ORDER BY event_no")
        );
    }

    /// <summary>With a rule that the mean of rpm is broken below 20 for 20 seconds.</summary>
    private async Task<PartitionOwner> StartAsync()
    {
        var owner = await PartitionOwner.StartAsync(postgres);
        await AddRuleAsync(owner, "'threshold', 'f', NULL, 'rpm', 'below', 'mean', 20, 20");
        await owner.RestartAsync();
        return owner;
    }

    private static async Task AddRuleAsync(PartitionOwner owner, string values) =>
        await owner.RowsAsync(
            $"""
            INSERT INTO factory.alert_rules (name, severity, is_enabled, created_at, updated_at, kind, factory_id, engine_id, metric,
                comparison, statistic, "limit", duration)
            VALUES ('slow', 'alarm', true, now(), now(), {values})
            """
        );

    private static string Reading(int second, int rpm) =>
        Single(second)
            .Replace(
                string.Create(CultureInfo.InvariantCulture, $"\"rpm\": {second}"),
                string.Create(CultureInfo.InvariantCulture, $"\"rpm\": {rpm}"),
                StringComparison.Ordinal
            );
}
