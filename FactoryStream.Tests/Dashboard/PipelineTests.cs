using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class PipelineTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Every_part_of_the_pipeline_is_told()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        await PutAsync(dashboard, TopicNames.Signed, 1, "one", "two", "three");
        await PutAsync(dashboard, TopicNames.Verified, 1, "one", "two");
        using var topicIds = new TopicIds(new KafkaConnection(dashboard.Kafka));
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.checkpoints (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset, source_line)
            VALUES ($1, 1, 1, $2, 1, $3, 0, 0) RETURNING 1
            """,
            TopicNames.Verified,
            await topicIds.GetAsync(TopicNames.Verified),
            await topicIds.GetAsync(TopicNames.Signed)
        );
        await dashboard.Database.ScalarAsync<object>(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'f', 10, 6, 1) RETURNING 1"
        );
        await dashboard.Database.RejectAsync(
            new(1, TimeProvider.System.GetUtcNow().UtcDateTime, "f", "bad_signature", false, null, "{}"u8.ToArray(), 1, 0),
            new(1, Seeds.Start, "f", "bad_signature", false, null, "{}"u8.ToArray(), 1, 1)
        );

        var pipeline = await EventuallyAsync(dashboard, state => !IsNull(state, "verdicts") && Lag(state, TopicNames.Signed, 1) == 2);

        Assert.Equal(9, pipeline.GetProperty("partitions").GetArrayLength());
        // The largest lag first.
        Assert.Equal(
            """{"topic":"readings.signed","partition":1,"begin":0,"end":3,"taken_in_until":1,"lag":2}""",
            pipeline.GetProperty("partitions")[0].GetRawText()
        );
        Assert.Equal(1, Lag(pipeline, TopicNames.Verified, 1));
        Assert.Equal(
            """[{"reason":"accepted","refused":false,"last_minute":null,"in_all":7},"""
                + """{"reason":"bad_signature","refused":false,"last_minute":1,"in_all":2}]""",
            pipeline.GetProperty("verdicts").GetRawText()
        );
        var database = pipeline.GetProperty("database");
        Assert.True(database.GetProperty("bytes").GetInt64() > 0);
        var windows = database
            .GetProperty("tables")
            .EnumerateArray()
            .Single(table => table.GetProperty("table").GetString() == "engine_windows");
        Assert.Equal("engine_windows_202003", windows.GetProperty("oldest").GetString());
        Assert.StartsWith("engine_windows_202602", windows.GetProperty("newest").GetString(), StringComparison.Ordinal);
        Assert.False(pipeline.GetProperty("failures").TryGetProperty("partitions", out _));
        Assert.NotEqual("", pipeline.GetProperty("dashboard_version").GetString());
    }

    [SkippableFact]
    public async Task A_rate_is_the_difference_of_two_looks()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        await EventuallyAsync(dashboard, state => !IsNull(state, "partitions"));
        await PutAsync(dashboard, TopicNames.Signed, 0, "one");

        var pipeline = await EventuallyAsync(
            dashboard,
            state =>
                state.GetProperty("rates").GetProperty("signed_messages") is { ValueKind: JsonValueKind.Number } rate
                && rate.GetDouble() > 0
        );

        Assert.Equal(0, pipeline.GetProperty("rates").GetProperty("verified_messages").GetDouble());
    }

    [SkippableFact]
    public async Task What_cannot_be_read_is_null_and_said_and_the_rest_is_told()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        await dashboard.Database.ScalarAsync<object>("ALTER TABLE factory.checkpoints RENAME TO away");

        var pipeline = await EventuallyAsync(dashboard, state => IsNull(state, "verdicts"));

        Assert.Contains(
            "The database does not respond",
            pipeline.GetProperty("failures").GetProperty("verdicts").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal(JsonValueKind.Null, pipeline.GetProperty("partitions")[0].GetProperty("lag").ValueKind);
        Assert.Equal(JsonValueKind.Object, pipeline.GetProperty("database").ValueKind);
    }

    [SkippableFact]
    public async Task Without_Kafka_the_database_is_told()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            Seeds.TwoFactoriesAsync,
            "--ConnectionStrings:kafka=127.0.0.1:1"
        );

        var pipeline = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/pipeline");

        foreach (var part in (string[])["partitions", "groups"])
        {
            Assert.True(IsNull(pipeline, part));
            Assert.StartsWith(
                "Kafka does not respond",
                pipeline.GetProperty("failures").GetProperty(part).GetString(),
                StringComparison.Ordinal
            );
        }
        Assert.Equal(1, pipeline.GetProperty("verdicts").GetArrayLength());
        Assert.Equal(JsonValueKind.Object, pipeline.GetProperty("database").ValueKind);
    }

    private static async Task<JsonElement> EventuallyAsync(RunningDashboard dashboard, Predicate<JsonElement> isSo) =>
        await RunningSystem.EventuallyAsync(
            async () =>
            {
                using var response = await dashboard.Client.GetAsync("/api/pipeline");
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                return await response.Content.ReadFromJsonAsync<JsonElement>();
            },
            isSo
        );

    private static bool IsNull(JsonElement state, string part) => state.GetProperty(part).ValueKind == JsonValueKind.Null;

    private static long? Lag(JsonElement state, string topic, int partition) =>
        IsNull(state, "partitions")
            ? null
            : state
                .GetProperty("partitions")
                .EnumerateArray()
                .Single(one => one.GetProperty("topic").GetString() == topic && one.GetProperty("partition").GetInt32() == partition)
                .GetProperty("lag")
                .Deserialize<long?>();

    internal static async Task PutAsync(RunningDashboard dashboard, string topic, int partition, params string[] values)
    {
        using var producer = new ProducerBuilder<byte[]?, byte[]>(new ProducerConfig { BootstrapServers = dashboard.Kafka }).Build();
        foreach (var value in values)
        {
            await producer
                .ProduceAsync(
                    new TopicPartition(topic, partition),
                    new Message<byte[]?, byte[]>
                    {
                        Value = Encoding.UTF8.GetBytes(value),
                        Headers = [new Header("reason", "<b>no</b>"u8.ToArray())],
                    }
                )
                .WaitAsync(RunningDashboard.Patience);
        }
    }
}
