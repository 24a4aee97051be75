using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class AlertRetentionTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Alerts_that_are_over_for_long_are_dropped_with_their_events_and_deliveries()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.RowsAsync(
            """
            INSERT INTO factory.webhooks (url, secret, is_enabled, severities, created_by, created_at)
            VALUES ('http://127.0.0.1:9/', 'a-secret-of-the-tests', true, '{warning}', 'Ada', now())
            """
        );
        foreach (
            var (state, raised, ended) in ((string, string, string)[])
                [
                    ("raised", "2028-01-01Z", "2028-01-01Z"),
                    ("cleared", "2028-01-01Z", "2028-11-27Z"),
                    ("withdrawn", "2028-01-01Z", "2028-11-29Z"),
                    ("cleared", "2029-01-01Z", "2029-01-02Z"),
                ]
        )
            await database.RowsAsync(
                """
                WITH alert AS (
                    INSERT INTO factory.alerts (rule_no, name, kind, severity, factory_id, state, raised_at, raised_recorded_at, value)
                    SELECT count(*), 'n', 'silence', 'warning', 'f', $1, $2, $2, 7 FROM factory.alerts RETURNING alert_no)
                INSERT INTO factory.alert_events (alert_no, event, recorded_at)
                SELECT alert_no, 'raised', $2::timestamptz FROM alert UNION ALL SELECT alert_no, 'cleared', $3 FROM alert
                """,
                state,
                Time(raised),
                Time(ended)
            );
        Assert.Equal(8L, await database.ScalarAsync<long>("SELECT count(*) FROM factory.webhook_deliveries"));

        await using (var connection = await database.OpenConnectionAsync())
        {
            Assert.Equal(1, await AlertRetention.DropAsync(connection, Time("2028-11-28Z"), 1_000, CancellationToken.None));
            Assert.Equal(0, await AlertRetention.DropAsync(connection, Time("2028-11-28Z"), 1_000, CancellationToken.None));
        }

        const string Left = "SELECT string_agg(DISTINCT alert_no::text, ' ') FROM factory.";
        foreach (var table in (string[])["alerts", "alert_events", "webhook_deliveries"])
            Assert.Equal((table, "1 3 4"), (table, await database.ScalarAsync<string>($"{Left}{table}")));
    }

    private static DateTime Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime;
}
