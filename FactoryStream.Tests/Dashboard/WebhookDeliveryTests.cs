using System.Globalization;
using System.Net.Sockets;
using System.Text;
using FactoryStream.Dashboard.Webhooks;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

/// <summary>What happens to an alert reaches a webhook: once, in order, signed, and in the end even where attempts fail.</summary>
[Collection(DatabaseTests.Name)]
public sealed class WebhookDeliveryTests(PostgresFixture postgres)
{
    private const string Secret = "a-secret-of-the-tests";

    private const string Deliveries =
        "SELECT coalesce(event, 'test'), state, last_status FROM factory.webhook_deliveries LEFT JOIN factory.alert_events "
        + "USING (event_no) ORDER BY delivery_no";

    [SkippableFact]
    public async Task What_happens_to_an_alert_is_sent_signed_with_alert_engine_rule_and_links()
    {
        await using var receiver = await ReceiverStub.StartAsync();
        await using var dashboard = await StartAsync(
            database => WebhookAsync(database, receiver.Address),
            "--Dashboard:Webhooks:PublicAddress=https://plant.example.org/"
        );
        var engine = await dashboard.Database.EngineAsync("factory a", "e1");

        await dashboard.Database.AlertAsync(7, "factory a", engine, "raised", "alarm", Seeds.Start);

        await ReceivedAsync(receiver, 1);
        var message = receiver.Messages.Single();
        Assert.Equal("1", message.Delivery);
        Assert.Equal(
            WebhookSignature.Of(Secret, long.Parse(message.Timestamp, CultureInfo.InvariantCulture), message.Body),
            message.Signature
        );
        Assert.Equal(
            """
            {"delivery":1,"event":"raised","recorded_at":"2026-02-25T06:13:20Z","window_start":null,"window_end":null,"value":null,
            "by":null,"comment":null,"alert":{"alert_no":1,"severity":"alarm","state":"raised","raised_at":"2026-02-25T06:13:20Z",
            "cleared_at":null,"value":7,"acknowledged_by":null,"revision":0},"engine":{"factory_id":"factory a","engine_id":"e1"},
            "rule":{"rule_no":7,"name":"too hot","kind":"threshold","metric":null},
            "links":{"alerts":"https://plant.example.org/alerts","events":"https://plant.example.org/api/alerts/1/events",
            "engine":"https://plant.example.org/engines/factory%20a/e1"}}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(message.Body)
        );
        await EventuallyAsync(dashboard.Database, Deliveries, "raised|delivered|204");
    }

    [SkippableFact]
    public async Task After_an_error_it_is_sent_again_by_the_same_number_and_what_came_later_waits()
    {
        await using var receiver = await ReceiverStub.StartAsync(ReceiverStub.Status(500), ReceiverStub.Status(503));
        await using var dashboard = await StartAsync(database => WebhookAsync(database, receiver.Address));

        await dashboard.Database.AlertAsync(1, "f", null, "raised", "warning", Seeds.Start);
        await dashboard.Database.RowsAsync(
            "INSERT INTO factory.alert_events (alert_no, event, recorded_at) VALUES (1, 'acknowledged', now()), (1, 'cleared', now())"
        );

        await ReceivedAsync(receiver, 5);
        Assert.Equal(
            ["1 raised", "1 raised", "1 raised", "2 acknowledged", "3 cleared"],
            receiver.Messages.Select(message => $"{message.Delivery} {message.Event}")
        );
        await EventuallyAsync(
            dashboard.Database,
            "SELECT state, attempts, last_error FROM factory.webhook_deliveries ORDER BY 2 DESC, delivery_no",
            "delivered|3|",
            "delivered|1|",
            "delivered|1|"
        );
    }

    [SkippableFact]
    public async Task A_redirect_is_an_error_and_what_was_tried_for_long_enough_is_dead_until_a_person_tries_again()
    {
        await using var elsewhere = await ReceiverStub.StartAsync();
        await using var receiver = await ReceiverStub.StartAsync(response => response.Redirect(elsewhere.Address.ToString()));
        await using var dashboard = await StartAsync(
            database => WebhookAsync(database, receiver.Address),
            // Any time is long enough for the attempt that is over.
            "--Dashboard:Webhooks:RetryFor=00:00:00.1",
            "--Dashboard:Webhooks:RetryAfter=00:00:00.1"
        );
        await dashboard.Database.RowsAsync(
            """
            INSERT INTO factory.webhook_deliveries (webhook_no, attempts, first_attempt_at) VALUES (1, 1, now() - interval '1 second')
            """
        );

        await EventuallyAsync(dashboard.Database, Deliveries, "test|dead|302");
        Assert.Equal(TriedAgain.Now, await new DeliveriesWriter(dashboard.Database).TryAgainAsync(1, 1, CancellationToken.None));
        await EventuallyAsync(dashboard.Database, Deliveries, "test|delivered|204");
        Assert.Equal(TriedAgain.NotDead, await new DeliveriesWriter(dashboard.Database).TryAgainAsync(1, 1, CancellationToken.None));
        Assert.Equal(["1", "1"], receiver.Messages.Select(message => message.Delivery));
        Assert.Empty(elsewhere.Messages);
    }

    [SkippableFact]
    public async Task A_sender_that_ends_after_the_POST_is_followed_by_another_with_the_same_number()
    {
        await using var receiver = await ReceiverStub.StartAsync();
        await using var dashboard = await StartAsync(async database =>
        {
            await WebhookAsync(database, receiver.Address);
            await database.AlertAsync(1, "f", null, "raised", "warning", Seeds.Start);
            // As a Dashboard does that ends before it writes what came of it.
            var options = Options.Create(new WebhookOptions { AllowPrivateAddresses = true });
            using var sender = new WebhookSender(options, TimeProvider.System);
            var taken = Assert.Single(await new Outbox(database, options).TakeAsync([], CancellationToken.None));
            Assert.Null((await sender.SendAsync(taken, CancellationToken.None)).Error);
            Assert.Empty(await new Outbox(database, options).TakeAsync([], CancellationToken.None));
            await database.RowsAsync("UPDATE factory.webhook_deliveries SET next_attempt_at = now() + interval '2 seconds'");
        });

        await ReceivedAsync(receiver, 2);
        Assert.Equal(["1 raised", "1 raised"], receiver.Messages.Select(message => $"{message.Delivery} {message.Event}"));
        await EventuallyAsync(dashboard.Database, "SELECT state, attempts FROM factory.webhook_deliveries", "delivered|2");
    }

    [SkippableFact]
    public async Task Several_Dashboards_take_each_delivery_once_and_an_outcome_that_is_too_late_counts_nothing()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await WebhookAsync(database, new Uri("http://127.0.0.1:1"));
        for (var i = 0; i < 3 * Outbox.MostAtOnce; i++)
            await database.AlertAsync(i, "f", null, "raised", "warning", Seeds.Start);
        var outbox = new Outbox(database, Options.Create(new WebhookOptions()));

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => outbox.TakeAsync([], CancellationToken.None)));
        var numbers = taken.SelectMany(each => each).Select(delivery => delivery.DeliveryNo).ToArray();
        Assert.Equal(numbers.Distinct(), numbers);
        Assert.NotEmpty(numbers);

        var late = taken.SelectMany(each => each).First();
        await database.RowsAsync("UPDATE factory.webhook_deliveries SET attempts = attempts + 1 WHERE delivery_no = $1", late.DeliveryNo);
        await outbox.WriteAsync(late, new(500, "late"), null, CancellationToken.None);
        Assert.Equal(
            ["pending|"],
            await database.RowsAsync("SELECT state, last_error FROM factory.webhook_deliveries WHERE delivery_no = $1", late.DeliveryNo)
        );
    }

    [SkippableFact]
    public async Task A_webhook_that_is_turned_off_or_of_another_severity_gets_nothing()
    {
        await using var receiver = await ReceiverStub.StartAsync();
        await using var dashboard = await StartAsync(async database =>
        {
            await WebhookAsync(database, receiver.Address, "warning,alarm", isEnabled: false);
            await WebhookAsync(database, receiver.Address, "alarm");
        });

        await dashboard.Database.AlertAsync(1, "f", null, "raised", "warning", Seeds.Start);
        await dashboard.Database.AlertAsync(2, "f", null, "raised", "alarm", Seeds.Start);

        await EventuallyAsync(dashboard.Database, "SELECT webhook_no, alert_no, state FROM factory.webhook_deliveries", "2|2|delivered");
        Assert.Single(receiver.Messages);
    }

    [SkippableTheory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task An_address_of_this_machine_is_refused_unless_it_is_allowed(string host)
    {
        // Nobody connects: a connection would wait here, and the test with it.
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        await using var dashboard = await StartAsync(
            database => WebhookAsync(database, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}/"))),
            "--Dashboard:Webhooks:AllowPrivateAddresses=false"
        );

        await dashboard.Database.AlertAsync(1, "f", null, "raised", "warning", Seeds.Start);

        var error = await RunningSystem.EventuallyAsync(
            async () => (await dashboard.Database.RowsAsync("SELECT last_error FROM factory.webhook_deliveries")).Single(),
            error => error.Length > 0
        );
        Assert.StartsWith($"{host} is no address of the public network", error, StringComparison.Ordinal);
        Assert.False(listener.Pending());
    }

    private Task<RunningDashboard> StartAsync(Func<NpgsqlDataSource, Task> seed, params string[] settings) =>
        RunningDashboard.StartAsync(
            postgres,
            seed,
            ["--Dashboard:Webhooks:AllowPrivateAddresses=true", "--Dashboard:Webhooks:RetryAfter=00:00:00.2", .. settings]
        );

    private static Task<string[]> WebhookAsync(
        NpgsqlDataSource database,
        Uri url,
        string severities = "warning,alarm",
        bool isEnabled = true
    ) =>
        database.RowsAsync(
            """
            INSERT INTO factory.webhooks (url, secret, is_enabled, severities, created_by, created_at)
            VALUES ($1, $2, $3, string_to_array($4, ','), 'Ada', now())
            """,
            url.ToString(),
            Secret,
            isEnabled,
            severities
        );

    private static Task<int> ReceivedAsync(ReceiverStub receiver, int count) =>
        RunningSystem.EventuallyAsync(() => Task.FromResult(receiver.Messages.Count), received => received >= count);

    private static Task<string[]> EventuallyAsync(NpgsqlDataSource database, string sql, params string[] expected) =>
        RunningSystem.EventuallyAsync(() => database.RowsAsync(sql), rows => rows.SequenceEqual(expected));
}
