using System.Text;
using FactoryStream.Dashboard;
using FactoryStream.Dashboard.Redrives;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Simulator;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

/// <summary>A step of a re-drive, as instances that die or compete take it.</summary>
[Collection(DatabaseTests.Name)]
public sealed class RedriveStepTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task A_step_that_dies_after_its_request_leaves_nothing_and_the_next_sends_its_lines_once_more()
    {
        await using var database = await DatabaseAsync(lines: 3);
        // Ingest has the lines, and then the connection of whoever sent them breaks before anything is marked.
        await using var ingest = await IngestStub.StartAsync(async context =>
        {
            await database.RowsAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    + "WHERE state = 'idle in transaction' AND datname = current_database()"
            );
            await IngestStub.Status(202, body: """{"accepted":3,"rejected":[],"rejected_count":0}""")(context);
        });
        await using var services = Clients(ingest);
        var step = Step(database, services);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => step.RunAsync(1, CancellationToken.None));
        Assert.Equal(["running|0|0"], await database.RowsAsync("SELECT state, sent, through_no FROM factory.redrives"));
        Assert.Equal([1L], await step.DueAsync(CancellationToken.None));
        Assert.Equal(StepOutcome.Moved, await Step(database, services).RunAsync(1, CancellationToken.None));
        Assert.Equal(StepOutcome.Ended, await Step(database, services).RunAsync(1, CancellationToken.None));

        Assert.Equal(["complete|3|3"], await database.RowsAsync("SELECT state, sent, through_no FROM factory.redrives"));
        Assert.Equal(2, ingest.Posts.Count);
        Assert.Equal(ingest.Posts.First(), ingest.Posts.Last());
        Assert.Empty(await step.DueAsync(CancellationToken.None));
    }

    [SkippableFact]
    public async Task While_one_instance_sends_another_leaves_the_factory_alone()
    {
        await using var database = await DatabaseAsync(lines: 3);
        await using var ingest = await IngestStub.StartAsync();
        await using var services = Clients(ingest);
        await using var other = await database.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtext('factory.redrives'), hashtext('late'))", other))
            await command.ExecuteNonQueryAsync();

        Assert.Equal(StepOutcome.Elsewhere, await Step(database, services).RunAsync(1, CancellationToken.None));
        Assert.Empty(ingest.Posts);

        await transaction.CommitAsync();
        Assert.Equal(StepOutcome.Moved, await Step(database, services).RunAsync(1, CancellationToken.None));
    }

    [SkippableFact]
    public async Task Requests_are_of_bounded_size_and_what_is_rejected_later_is_not_of_the_re_drive()
    {
        await using var database = await DatabaseAsync(lines: 1_001);
        await using var ingest = await IngestStub.StartAsync();
        await using var services = Clients(ingest);
        await RejectAsync(database, 1);
        var step = Step(database, services);

        while (await step.RunAsync(1, CancellationToken.None) != StepOutcome.Ended) { }

        Assert.Equal([500, 500, 1], ingest.Posts.Select(body => body.Count(one => one == '\n')));
        Assert.Equal(["complete|1001|1001"], await database.RowsAsync("SELECT state, matched, sent FROM factory.redrives"));
    }

    [SkippableFact]
    public async Task What_Ingest_will_never_take_fails_the_re_drive_with_its_reason()
    {
        await using var database = await DatabaseAsync(lines: 1);
        await using var ingest = await IngestStub.StartAsync(IngestStub.Status(404));
        await using var services = Clients(ingest);

        Assert.Equal(StepOutcome.Ended, await Step(database, services).RunAsync(1, CancellationToken.None));

        Assert.Equal(
            ["failed|Ingest answers 404; its log may say why.|0|True"],
            await database.RowsAsync("SELECT state, detail, sent, ended_at IS NOT NULL FROM factory.redrives")
        );
    }

    [SkippableFact]
    public async Task What_Ingest_takes_of_a_request_before_it_is_full_is_counted_and_the_rest_waits_as_long_as_it_asks()
    {
        await using var database = await DatabaseAsync(lines: 3);
        await using var ingest = await IngestStub.StartAsync(
            IngestStub.Status(429, "3600", """{"detail":"Too many readings wait to be stored.","accepted":2,"rejected":[]}""")
        );
        await using var services = Clients(ingest);
        var step = Step(database, services);

        Assert.Equal(StepOutcome.Waits, await step.RunAsync(1, CancellationToken.None));

        Assert.Equal(
            ["running|Too many readings wait to be stored.|0|2|True"],
            await database.RowsAsync(
                "SELECT state, detail, sent, readings, next_attempt_at > asked_at + interval '1 minute' FROM factory.redrives"
            )
        );
        Assert.Empty(await step.DueAsync(CancellationToken.None));
        Assert.Equal(["0"], await database.RowsAsync("SELECT count(redriven_at) FROM factory.rejections"));
    }

    [SkippableFact]
    public async Task What_ran_when_the_Dashboard_died_goes_on_at_its_next_start()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            database => BeginAsync(database, lines: 3),
            $"--services:ingest:http:0={ingest.Address.GetLeftPart(UriPartial.Authority)}"
        );

        await RunningSystem.EventuallyAsync(
            () => dashboard.Database.RowsAsync("SELECT state, sent FROM factory.redrives"),
            rows => rows is ["complete|3"]
        );

        Assert.Equal(3, ingest.AcceptedLines.Count());
    }

    private async Task<NpgsqlDataSource> DatabaseAsync(int lines)
    {
        var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await BeginAsync(database, lines);
        return database;
    }

    private static async Task BeginAsync(NpgsqlDataSource database, int lines)
    {
        await RejectAsync(database, lines);
        var search = new TimedSearch(database, Options.Create(new DashboardOptions()));
        var writer = new RedrivesWriter(search, new RedrivesReader(search));
        Assert.NotNull(await writer.BeginAsync(new("late"), "Ann", CancellationToken.None));
    }

    private static Task RejectAsync(NpgsqlDataSource database, int lines) =>
        database.RejectAsync([
            .. Enumerable
                .Range(1, lines)
                .Select(value => new FactoryStream.Storage.RejectionEntry(
                    1,
                    Seeds.Start,
                    "late",
                    "unknown_key",
                    false,
                    null,
                    Encoding.UTF8.GetBytes($$"""{"data": {"rpm": {{value}}}, "signature": "AAAA"}"""),
                    value,
                    0
                )),
        ]);

    private static ServiceProvider Clients(IngestStub ingest)
    {
        var services = new ServiceCollection();
        services.AddHttpClient(IngestClient.Name, client => client.BaseAddress = ingest.Address);
        return services.BuildServiceProvider();
    }

    private static RedriveStep Step(NpgsqlDataSource database, ServiceProvider services) =>
        new(database, new IngestClient(services.GetRequiredService<IHttpClientFactory>()));
}
