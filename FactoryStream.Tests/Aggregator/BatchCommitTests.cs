using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Aggregator.Consuming;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class BatchCommitTests(PostgresFixture postgres)
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    private const string Stored = """
        SELECT count(*), count(r.signature), count(batch_sha256), count(DISTINCT batch_sha256),
            count(*) FILTER (WHERE position(convert_to(r.data::text, 'UTF8') IN b.data) > 0), (SELECT count(*) FROM factory.batches)
        FROM factory.readings r LEFT JOIN factory.batches b ON b.sha256 = r.batch_sha256
        """;

    [SkippableFact]
    public async Task Each_reading_of_a_batch_is_a_row_and_the_batch_is_stored_once()
    {
        await using var owner = await Owner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:2", Batch(0, 1, 2), Single(3)));

        Assert.Equal(["4|1|3|1|3|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|4|4|0"], await owner.RowsAsync(Owner.Books));
        Assert.Equal(
            [$"[{Data(0)}, {Data(1)}, {Data(2)}]"],
            await owner.RowsAsync("SELECT convert_from(data, 'UTF8') FROM factory.batches")
        );
        Assert.Equal(
            ["ABC|k1|01/01/2026 12:00:02"],
            await owner.RowsAsync(
                "SELECT convert_from(signature, 'UTF8'), key_id, measured_until FROM factory.batches JOIN factory.signing_keys "
                    + "USING (key_no)"
            )
        );
    }

    [SkippableTheory, InlineData(false), InlineData(true)]
    public async Task A_reading_is_one_however_it_is_signed_and_sent_again(bool isTolerant)
    {
        await using var owner = await Owner.StartAsync(postgres, isTolerant);
        await owner.CommitAsync(Message(0, "0:1", Single(0)), Message(1, "1:1", Batch(0, 1)), Message(2, "2:2", Batch(0, 1), Single(1)));
        await owner.CommitAsync(Message(3, "3:2", Batch(0, 1), Batch(1, 0)));

        // The last batch has no reading of its own, so it is nobody's evidence.
        Assert.Equal(["2|1|1|1|1|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|10|2|8"], await owner.RowsAsync(Owner.Books));
    }

    [SkippableFact]
    public async Task The_first_commit_of_an_owner_may_be_a_backlog_of_thousands()
    {
        await using var owner = await Owner.StartAsync(postgres);
        string[] lines = [.. Enumerable.Range(0, 3_000).Select(Single)];
        await owner.CommitAsync(Message(0, $"0:{lines.Length}", lines));

        Assert.Equal(["f|3000|3000|0"], await owner.RowsAsync(Owner.Books));
    }

    [SkippableFact]
    public async Task Late_readings_of_a_batch_bring_their_evidence_and_known_ones_bring_none()
    {
        await using var owner = await Owner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:1", Batch(0, 100)));
        await owner.CommitAsync(Message(1, "1:3", Batch(1, 2), Batch(0, 1), Batch(0, 100)));

        Assert.Equal(["4|0|4|2|4|2"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|8|4|4"], await owner.RowsAsync(Owner.Books));
        Assert.Equal(["3"], await owner.RowsAsync("SELECT count FROM factory.windows WHERE window_start = '2026-01-01 12:00Z'"));
    }

    [SkippableFact]
    public async Task A_batch_delivered_again_is_ignored_and_no_duplicate()
    {
        await using var owner = await Owner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:1", Batch(0, 1)));
        await owner.CommitAsync(Message(1, "0:1", Batch(0, 1)), Message(2, "1:1!0*7=f"));

        Assert.Equal(["2|0|2|1|2|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|9|2|0"], await owner.RowsAsync(Owner.Books));
    }

    [SkippableFact]
    public async Task A_share_is_stored_by_its_own_partition_and_the_batch_by_whoever_comes_first()
    {
        await using var owner = await Owner.StartAsync(postgres);
        var batch = Batch(0, 1, 2, 3);
        await owner.CommitAsync(Share(0, "0:1", "0,2-3", batch));
        await owner.CommitAsync(Share(1, "1:1", "1", batch));
        await owner.CommitAsync(Share(2, "2:1", "0,2-3", batch), Share(3, "3:1", "1", batch));

        Assert.Equal(["4|0|4|1|4|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|8|4|4"], await owner.RowsAsync(Owner.Books));
    }

    [SkippableFact]
    public async Task A_rejected_batch_is_a_row_and_counts_its_readings()
    {
        await using var owner = await Owner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:2!1*3=f", Single(0)), Rejected(0, "0:1", "future", 3, Batch(100, 101, 102)));

        Assert.Equal(["f|4|1|0"], await owner.RowsAsync(Owner.Books));
        Assert.Equal(["f|future|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(["3|0|1"], await owner.RowsAsync("SELECT readings, source_offset, source_line FROM factory.rejections"));
    }

    [SkippableFact]
    public async Task Factories_without_a_key_share_one_row_of_the_books_and_it_balances()
    {
        await using var owner = await Owner.StartAsync(postgres);
        await owner.CommitAsync(
            Message(0, "0:3!1=!2=", Single(0)),
            Unknown(0, "0:1", "invented-1"),
            Unknown(1, "0:2", "invented-2"),
            Refused(2, "invented-3"),
            Refused(3, "f"),
            Refused(4, "invented-4")
        );

        Assert.Equal(["|2|0|0", "f|1|1|0"], await owner.RowsAsync(Owner.Books + " ORDER BY 1"));
        Assert.Equal(
            ["|malformed|True|2", "|unknown_key|False|2", "f|malformed|True|1"],
            await owner.RowsAsync("SELECT factory_id, reason, refused, count FROM factory.rejection_counts ORDER BY 1, 2")
        );
        // People still read which name was claimed.
        Assert.Equal(
            ["invented-1|True", "invented-2|True", "invented-3|True", "f|False", "invented-4|True"],
            await owner.RowsAsync("SELECT factory_id, unknown_factory FROM factory.rejections ORDER BY rejection_no")
        );

        static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Unknown(long offset, string source, string factoryId)
        {
            var message = Rejected(offset, source, "unknown_key", 1, "line");
            message.Message.Headers.Remove(MessageHeaders.FactoryId);
            message.Message.Headers.Add(MessageHeaders.FactoryId, Encoding.UTF8.GetBytes(factoryId));
            message.Message.Headers.Add(MessageHeaders.Ledger, "unknown"u8.ToArray());
            return message;
        }

        static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Refused(long offset, string factoryId) =>
            Consumed(
                Topics.Rejected,
                offset,
                "line",
                (MessageHeaders.Reason, "malformed"),
                (MessageHeaders.RejectedBy, "ingest"),
                (MessageHeaders.RejectedAt, "2026-01-01T12:00:00.000000Z"),
                (MessageHeaders.FactoryId, factoryId)
            );
    }

    [Fact]
    public void Between_commits_only_the_ledger_of_factories_with_engines_is_kept()
    {
        var engines = new PartitionEngines(0);
        engines.Add("f", "e1", engineNo: 1);

        foreach (var name in (string[])["f", "", "invented-1", "invented-2"])
            engines.Forget(engines.Ledger(name));

        Assert.Equal(1, engines.LedgerCount);
        Assert.Same(engines.Find("f", "e1")!.Ledger, engines.Ledger("f"));
    }

    [SkippableFact]
    public async Task A_message_whose_lines_are_broken_loses_no_neighbour_and_every_source_line_has_an_outcome()
    {
        await using var owner = await Owner.StartAsync(postgres);
        // Three source lines were accepted; the second was written with a line break in its signature.
        await owner.CommitAsync(
            Message(0, "0:3!0=f;1:1", Single(0), Single(1).Replace("QUJD", "QU\nJD", StringComparison.Ordinal), Single(2))
        );
        await owner.CommitAsync(Message(1, "2:1", Single(3)));

        Assert.Equal(["f|4|3|0", "|1|0|0"], await owner.RowsAsync(Owner.Books + " ORDER BY 1 DESC"));
        Assert.Equal(["|malformed|1"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(["2"], await owner.RowsAsync("SELECT source_offset FROM factory.checkpoints WHERE topic = 'readings.verified'"));
        Assert.Contains(
            "QU\nJD",
            Assert.Single(await owner.RowsAsync("SELECT convert_from(line, 'UTF8') FROM factory.rejections")),
            StringComparison.Ordinal
        );
    }

    [SkippableFact]
    public async Task Of_a_broken_message_that_was_answered_before_in_part_only_the_rest_is_accounted_for()
    {
        await using var owner = await Owner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:1", Single(0)));
        await owner.CommitAsync(Message(1, "0:1;1:2", Single(0), Single(1)));
        await owner.CommitAsync(Message(2, "2:1", Single(1), Single(2), Single(3)));

        Assert.Equal(["f|1|1|0", "|3|0|0"], await owner.RowsAsync(Owner.Books + " ORDER BY 1 DESC"));
        Assert.Equal(["|malformed|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
    }

    [SkippableFact]
    public async Task Messages_of_another_hand_are_kept_and_stop_nothing()
    {
        await using var owner = await Owner.StartAsync(postgres);
        var odd = Message(0, "0:1", Single(0));
        odd.Message.Timestamp = new Timestamp(long.MaxValue, TimestampType.CreateTime);
        odd.Message.Headers.Remove(MessageHeaders.SourceTopicId);
        var sum = Message(1, "0:16777216;1:16777216;2:16777216", Single(0));
        var year = Message(2, "3:1", Single(0));
        year.Message.Headers.Remove(MessageHeaders.VerdictTime);
        year.Message.Headers.Add(MessageHeaders.VerdictTime, "0001-01-01T00:00:00Z"u8.ToArray());
        var nul = Rejected(0, "3:0", "future", 1, "\0");
        nul.Message.Headers.Remove(MessageHeaders.FactoryId);
        nul.Message.Headers.Add(MessageHeaders.FactoryId, "a\0b"u8.ToArray());
        nul.Message.Headers.Add(MessageHeaders.Detail, "\0"u8.ToArray());
        await owner.CommitAsync(odd, sum, year, nul, Message(3, "4:2!1=a%00b", Single(1)));

        // What only another hand could have written is nobody's; the sum's source lines are accounted for, beyond what a message can hold.
        Assert.Equal(["f|2|2|0", "|50331648|0|0"], await owner.RowsAsync(Owner.Books + " ORDER BY 1 DESC"));
        Assert.Equal(
            ["future|False|1", "malformed|False|50331647", "malformed|True|1", "malformed|True|1"],
            await owner.RowsAsync("SELECT reason, refused, readings FROM factory.rejections ORDER BY reason, refused, readings")
        );
        Assert.Equal(["4", "3"], await owner.RowsAsync("SELECT source_offset FROM factory.checkpoints ORDER BY topic DESC"));
    }

    [SkippableTheory, InlineData(false), InlineData(true)]
    public async Task A_reading_that_brings_its_engine_too_many_metrics_is_rejected_and_the_books_balance(bool isTolerant)
    {
        await using var owner = await Owner.StartAsync(postgres, isTolerant, maxMetrics: 3);
        await owner.CommitAsync(Message(0, "0:4", Single(0), Metrics(1, "a", "b"), Metrics(2, "b", "c"), Metrics(3, "b", "rpm")));
        await owner.CommitAsync(Message(1, "1:2", Metrics(1, "a", "b"), Metrics(2, "b", "c")));

        // Whoever takes over knows the names from the database alone, those of windows that are closed too.
        await owner.RestartAsync();
        await owner.CommitAsync(Message(2, "2:2", Metrics(100, "a"), Metrics(101, "d")));
        await owner.RestartAsync();
        await owner.CommitAsync(Message(3, "3:3", Metrics(102, "d"), Metrics(103, "rpm", "b", "a"), Metrics(1, "a", "b")));

        Assert.Equal(["a", "b", "rpm"], await owner.RowsAsync("SELECT metric FROM factory.engine_metrics ORDER BY 1"));
        Assert.Equal(["f|11|5|2"], await owner.RowsAsync(Owner.Books));
        Assert.Equal(
            ["f|too_many_metrics|False|4"],
            await owner.RowsAsync("SELECT factory_id, reason, refused, count FROM factory.rejection_counts")
        );
        Assert.Equal(
            [MetricsData(2, "b", "c"), MetricsData(2, "b", "c"), MetricsData(101, "d"), MetricsData(102, "d")],
            await owner.RowsAsync("SELECT convert_from(line, 'UTF8') FROM factory.rejections ORDER BY rejection_no")
        );
    }

    [SkippableFact]
    public async Task A_reading_of_an_engine_too_many_is_rejected_and_the_books_balance()
    {
        await using var owner = await Owner.StartAsync(postgres, maxEngines: 2);
        await owner.CommitAsync(Message(0, "0:4", Of("e1", 0), Of("e2", 0), Of("e3", 0), Of("e1", 1)));
        await owner.RestartAsync();
        await owner.CommitAsync(Message(1, "1:3", Of("e3", 1), Of("e4", 1), Of("e2", 1)));

        Assert.Equal(["e1", "e2"], await owner.RowsAsync("SELECT engine_id FROM factory.engines ORDER BY engine_no"));
        Assert.Equal(["f|7|4|0"], await owner.RowsAsync(Owner.Books));
        Assert.Equal(["f|too_many_engines|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(
            ["3"],
            await owner.RowsAsync("SELECT count(*) FROM factory.rejections WHERE reason = 'too_many_engines' AND NOT refused")
        );
    }

    [SkippableFact]
    public async Task A_reading_that_retention_may_have_dropped_is_rejected_by_its_verdicts_time_and_the_books_balance()
    {
        await using var owner = await Owner.StartAsync(postgres, retentionDays: 1);
        // Their verdicts are all of noon, whenever they are taken in.
        await owner.CommitAsync(Message(0, "0:3", Single(-86_400), Single(-86_401), Batch(-86_402, 0)));
        await owner.CommitAsync(Message(1, "1:2", Single(-86_400), Single(-86_401)));

        Assert.Equal(["f|6|2|1"], await owner.RowsAsync(Owner.Books));
        Assert.Equal(["f|too_old|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(
            [Data(-86_401), Data(-86_402), Data(-86_401)],
            await owner.RowsAsync("SELECT convert_from(line, 'UTF8') FROM factory.rejections ORDER BY rejection_no")
        );
    }

    [SkippableFact]
    public async Task What_retention_took_is_counted_where_the_gap_is_met_and_is_on_nobodys_books()
    {
        await using var owner = await Owner.StartAsync(postgres);
        // Source messages 1 to 3 were never answered: the Verifier came too late for them.
        await owner.CommitAsync(Message(0, "0:1", Single(0)), Message(1, "4:1", Single(1)));
        // Answers 2 to 4 are gone, and what they answered, 5 to 8, with them: that is one loss.
        await owner.CommitAsync(Message(5, "9:1", Single(2)));
        // Behind it the Verifier's can be told again; what is delivered twice is no loss.
        await owner.RestartAsync();
        await owner.CommitAsync(Message(6, "12:1", Single(3)), Message(7, "4:1", Single(1)), Message(8, "13:1", Single(4)));
        await owner.CommitAsync(Rejected(4, "13:0", "future", 1, "{}"));

        Assert.Equal(
            ["readings.rejected|0|4|0", "readings.signed|0|5|0", "readings.verified|0|3|0"],
            await owner.RowsAsync("SELECT topic, partition, messages, acknowledged FROM factory.losses ORDER BY topic")
        );
        Assert.Equal(["f|5|5|0"], await owner.RowsAsync(Owner.Books));
    }

    private static string MetricsData(int second, params string[] names)
    {
        var time = Noon.AddSeconds(second).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        var metrics = string.Join(',', names.Select(name => $"\"{name}\":1"));
        return $$"""{"factory_id":"f","engine_id":"e","timestamp":"{{time}}",{{metrics}}}""";
    }

    private static string Metrics(int second, params string[] names) =>
        $$"""{"data":{{MetricsData(second, names)}},"signature":"QUJD","key_id":"k1"}""";

    private static string Of(string engine, int second) => Single(second).Replace("\"e\"", $"\"{engine}\"", StringComparison.Ordinal);

    private static string Data(int second) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"factory_id": "f", "engine_id": "e", "timestamp": "{{Noon.AddSeconds(second):yyyy-MM-dd HH:mm:ss}}", "rpm": {{second}}}"""
        );

    private static string Single(int second) => $$"""{"data":{{Data(second)}},"signature":"QUJD","key_id":"k1"}""";

    private static string Batch(params int[] seconds) =>
        $$"""{"batch":[{{string.Join(", ", seconds.Select(Data))}}],"signature":"QUJD","key_id":"k1"}""";

    private static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Message(long offset, string source, params string[] lines) =>
        Consumed(
            Topics.Verified,
            offset,
            string.Join('\n', lines),
            (MessageHeaders.Source, source),
            (MessageHeaders.SourceTopicId, "signed-1"),
            (MessageHeaders.VerdictTime, "2026-01-01T12:00:00.000000Z")
        );

    private static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Share(long offset, string source, string share, string batch)
    {
        var message = Message(offset, source, batch);
        message.Message.Headers.Add(MessageHeaders.Framing, "single"u8.ToArray());
        message.Message.Headers.Add(MessageHeaders.BatchShare, Encoding.ASCII.GetBytes(share));
        return message;
    }

    private static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Rejected(
        long offset,
        string source,
        string reason,
        int readings,
        string line
    ) =>
        Consumed(
            Topics.Rejected,
            offset,
            line,
            (MessageHeaders.Source, source),
            (MessageHeaders.SourceTopicId, "signed-1"),
            (MessageHeaders.Reason, reason),
            (MessageHeaders.RejectedBy, "verifier"),
            (MessageHeaders.RejectedAt, "2026-01-01T12:00:00.000000Z"),
            (MessageHeaders.FactoryId, "f"),
            (MessageHeaders.Readings, readings.ToString(CultureInfo.InvariantCulture))
        );

    private static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Consumed(
        string topic,
        long offset,
        string value,
        params (string Name, string Text)[] headers
    )
    {
        var message = new Message<Ignore, ReadOnlyMemory<byte>>
        {
            Value = Encoding.UTF8.GetBytes(value),
            Headers = [],
            Timestamp = new Timestamp(Noon),
        };
        foreach (var (name, text) in headers)
            message.Headers.Add(name, Encoding.UTF8.GetBytes(text));
        return new ConsumeResult<Ignore, ReadOnlyMemory<byte>>
        {
            Topic = topic,
            Partition = 0,
            Offset = offset,
            Message = message,
        };
    }

    /// <summary>What an Aggregator that was given partition 0 of both topics does with messages, a transaction a call.</summary>
    private sealed class Owner : IAsyncDisposable
    {
        public const string Books = "SELECT factory_id, accepted, stored, duplicates FROM factory.ledger";

        private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly NpgsqlDataSource database;
        private readonly AggregatorMetrics instruments;
        private readonly Dictionary<string, PartitionProgress> progress = [];
        private readonly PendingCommit pending = new();
        private readonly MessageDecoder decoder;
        private readonly Func<CommitTransaction> make;
        private CommitTransaction transaction;

        private Owner(NpgsqlDataSource database, bool isTolerant, int maxMetrics, int maxEngines, int retentionDays)
        {
            this.database = database;
            instruments = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
            decoder = new MessageDecoder(NullLogger.Instance, instruments);
            var options = new AggregatorOptions
            {
                WindowLength = TimeSpan.FromSeconds(10),
                Lateness = TimeSpan.FromSeconds(2),
                IdleTimeout = TimeSpan.FromSeconds(10),
                MaxMetricsPerEngine = maxMetrics,
                MaxEnginesPerFactory = maxEngines,
                RetentionDays = retentionDays,
            };
            make = () =>
                new CommitTransaction(database, options, instruments, new RetentionRuns(), TimeProvider.System, NullLogger.Instance)
                {
                    ConflictTolerantCommits = isTolerant ? 100 : 0,
                };
            transaction = make();
        }

        public static async Task<Owner> StartAsync(
            PostgresFixture postgres,
            bool isTolerant = false,
            int maxMetrics = 100,
            int maxEngines = 100,
            int retentionDays = 0
        )
        {
            var owner = new Owner(
                NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync()),
                isTolerant,
                maxMetrics,
                maxEngines,
                retentionDays
            );
            await owner.RowsAsync(
                "INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at) VALUES ('k1', 'f', "
                    + "'RSASSA-PSS-SHA256', '', now())"
            );
            await owner.RestartAsync();
            return owner;
        }

        /// <summary>What was in memory is gone.</summary>
        public async Task RestartAsync()
        {
            transaction = make();
            var checkpoints = new CheckpointReader(database);
            foreach (var topic in (string[])[Topics.Verified, Topics.Rejected])
                progress[topic] = new PartitionProgress(await checkpoints.AcquireAsync(topic, 0, topic, CancellationToken.None));
            await transaction.RebuildAsync([progress[Topics.Verified]], 1, CancellationToken.None);
        }

        public async Task CommitAsync(params ConsumeResult<Ignore, ReadOnlyMemory<byte>>[] messages)
        {
            foreach (var message in messages)
                decoder.Decode(message, progress[message.Topic], pending);
            pending.Seal([]);
            await transaction.CommitAsync(pending, [], CancellationToken.None);
            pending.Clear();
        }

        public Task<string[]> RowsAsync(string sql) => database.RowsAsync(sql);

        public async ValueTask DisposeAsync()
        {
            instruments.Dispose();
            await services.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
