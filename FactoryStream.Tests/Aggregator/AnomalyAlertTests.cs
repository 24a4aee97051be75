using System.Globalization;
using FactoryStream.Tests.Storage;
using Npgsql;
using static FactoryStream.Tests.Aggregator.ConsumedMessages;

namespace FactoryStream.Tests.Aggregator;

/// <summary>
/// An engine sends a reading in the middle of each window of ten seconds, so a reading closes the window before it. Its rpm is about 3,000,
/// and 100 more from window 50 to 54.
/// </summary>
[Collection(DatabaseTests.Name)]
public sealed class AnomalyAlertTests(PostgresFixture postgres)
{
    private const string Alerts = """
        SELECT alert_no, state, to_char(raised_at, 'MI:SS'), to_char(cleared_at, 'MI:SS'), revision FROM factory.alerts
        ORDER BY alert_no
        """;

    private const string Events = """
        SELECT alert_no, event, to_char(window_start, 'MI:SS'), to_char(window_end, 'MI:SS'), value FROM factory.alert_events
        ORDER BY event_no
        """;

    [SkippableFact]
    public async Task A_step_raises_an_alert_after_its_duration_and_its_end_clears_it()
    {
        await using var owner = await StartAsync();
        await CommitAsync(owner, 0, 52);
        Assert.Empty(await owner.RowsAsync(Alerts));

        await CommitAsync(owner, 52, 53);
        Assert.Equal(["1|raised|08:40||0"], await owner.RowsAsync(Alerts));
        Assert.Equal(
            ["anomaly||e"],
            await owner.RowsAsync("SELECT kind, metric, engine_id FROM factory.alerts JOIN factory.engines USING (engine_no)")
        );

        await CommitAsync(owner, 53, 60);
        Assert.Equal(["1|cleared|08:40|09:20|0"], await owner.RowsAsync(Alerts));
    }

    [SkippableFact]
    public async Task Alerts_are_the_same_whether_windows_are_kept_in_memory_or_read_after_a_restart_at_every_commit()
    {
        await using var kept = await StartAsync();
        await using var restarted = await StartAsync();
        await using var atOnce = await StartAsync();
        for (var i = 0; i < 60; i++)
        {
            await CommitAsync(kept, i, i + 1);
            await CommitAsync(restarted, i, i + 1);
            await restarted.RestartAsync();
        }
        await CommitAsync(atOnce, 0, 60);

        var events = await kept.RowsAsync(Events);
        Assert.Equal(2, events.Length);
        Assert.Equal(events, await restarted.RowsAsync(Events));
        Assert.Equal(events, await atOnce.RowsAsync(Events));
    }

    [SkippableFact]
    public async Task A_commit_that_fails_leaves_no_alert_and_the_same_messages_raise_it_once()
    {
        await using var owner = await StartAsync();
        await CommitAsync(owner, 0, 52);
        await owner.RowsAsync("ALTER TABLE factory.alert_events ADD CONSTRAINT refused CHECK (event <> 'raised')");
        await Assert.ThrowsAsync<PostgresException>(() => CommitAsync(owner, 52, 53));
        Assert.Empty(await owner.RowsAsync(Alerts));

        await owner.RowsAsync("ALTER TABLE factory.alert_events DROP CONSTRAINT refused");
        await owner.RestartAsync();
        await CommitAsync(owner, 52, 53);
        await owner.RestartAsync();
        await CommitAsync(owner, 52, 53);
        await CommitAsync(owner, 53, 54);

        Assert.Equal(["raised"], await owner.RowsAsync("SELECT event FROM factory.alert_events"));
    }

    [SkippableFact]
    public async Task A_late_correction_withdraws_an_alert_and_the_windows_after_it_are_scored_by_what_is_stored()
    {
        await using var owner = await StartAsync();
        await CommitAsync(owner, 0, 53);
        Assert.Equal(["1|raised|08:40||0"], await owner.RowsAsync(Alerts));

        // With the late reading the mean of window 51 is what it mostly is.
        await owner.CommitAsync(Message(53, "53:1", Reading(516, 2900)));
        Assert.Equal(["1|withdrawn|08:40||1"], await owner.RowsAsync(Alerts));

        await CommitAsync(owner, 54, 60, first: 53);
        var events = await owner.RowsAsync(Events);
        Assert.Equal(["raised", "withdrawn", "raised", "cleared"], events.Select(row => row.Split('|')[1]));
        Assert.Equal("2|raised|08:50|09:00", events[2][..events[2].LastIndexOf('|')]);
    }

    [SkippableFact]
    public async Task Windows_that_closed_while_the_rule_was_turned_off_are_learned_from_when_it_is_turned_on_again()
    {
        await using var owner = await StartAsync();
        await CommitAsync(owner, 0, 35);
        await TurnAsync(owner, "false");
        await CommitAsync(owner, 35, 48);
        await TurnAsync(owner, "true");
        await CommitAsync(owner, 48, 60);

        await using var always = await StartAsync();
        await CommitAsync(always, 0, 60);

        Assert.Equal(2, (await owner.RowsAsync(Events)).Length);
        Assert.Equal(await always.RowsAsync(Events), await owner.RowsAsync(Events));
    }

    [SkippableFact]
    public async Task A_rule_of_another_factory_raises_nothing()
    {
        await using var owner = await StartAsync();
        await owner.RowsAsync("UPDATE factory.alert_rules SET factory_id = 'g'");
        await owner.ReadAlertRulesAsync();

        await CommitAsync(owner, 0, 60);

        Assert.Empty(await owner.RowsAsync(Alerts));
    }

    private async Task<PartitionOwner> StartAsync()
    {
        var owner = await PartitionOwner.StartAsync(postgres);
        await owner.RowsAsync(
            """
            INSERT INTO factory.alert_rules (name, severity, is_enabled, created_at, updated_at, kind, comparison, statistic, "limit",
                duration)
            VALUES ('unusual', 'warning', true, now(), now(), 'anomaly', 'above', 'mean', 1, 20)
            """
        );
        await owner.RestartAsync();
        return owner;
    }

    private static async Task TurnAsync(PartitionOwner owner, string isEnabled)
    {
        await owner.RowsAsync($"UPDATE factory.alert_rules SET is_enabled = {isEnabled}");
        await owner.ReadAlertRulesAsync();
    }

    /// <summary>Commits the readings from one window to another, in one message; the message's number is the first window's.</summary>
    private static Task CommitAsync(PartitionOwner owner, int from, int until, int? first = null)
    {
        var windows = Enumerable.Range(first ?? from, until - (first ?? from)).ToArray();
        return owner.CommitAsync(
            Message(from, $"{from}:{windows.Length}", [.. windows.Select(window => Reading(10 * window + 5, Rpm(window)))])
        );
    }

    private static double Rpm(int window) => 3_000 + Math.Sin(1.7 * window * window) * 5 + (window is >= 50 and < 55 ? 100 : 0);

    private static string Reading(int second, double rpm) =>
        Single(second)
            .Replace(
                string.Create(CultureInfo.InvariantCulture, $"\"rpm\": {second}"),
                string.Create(CultureInfo.InvariantCulture, $"\"rpm\": {rpm:R}"),
                StringComparison.Ordinal
            );
}
