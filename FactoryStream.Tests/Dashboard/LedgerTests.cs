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
public sealed class LedgerTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task The_ledger_is_what_is_stored_and_what_the_log_holds_beyond_it()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        using (var topicIds = new TopicIds(new KafkaConnection(dashboard.Kafka)))
        {
            // Three messages in partition 1, of which the ledger knows the first.
            using var producer = new ProducerBuilder<byte[]?, byte[]>(new ProducerConfig { BootstrapServers = dashboard.Kafka }).Build();
            foreach (var lines in (string[])["{}", $"{Envelope("f")}\n{Envelope("f")}\n{Envelope("g")}\n{Envelope("invented")}", "no JSON"])
                await producer.ProduceAsync(
                    new TopicPartition(TopicNames.Signed, 1),
                    new Message<byte[]?, byte[]> { Value = Encoding.UTF8.GetBytes(lines) }
                );
            await dashboard.Database.ScalarAsync<object>(
                """
                INSERT INTO factory.checkpoints (topic, partition, epoch, topic_id, next_offset, source_topic_id,
                    source_offset, source_line)
                VALUES ($1, 1, 1, 'x', 1, $2, 0, 0) RETURNING 1
                """,
                TopicNames.Verified,
                await topicIds.GetAsync(TopicNames.Signed)
            );
        }
        await dashboard.Database.ScalarAsync<object>(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'f', 10, 6, 1), (2, 'f', "
                + "5, 5, 0) RETURNING 1"
        );
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.rejection_counts (partition, factory_id, reason, refused, count)
            VALUES (1, 'f', 'bad_signature', false, 2), (2, 'f', 'bad_signature', false, 1), (1, '', 'malformed', true, 4) RETURNING 1
            """
        );

        // What retention took is told whether somebody has taken note of it or not, and balances in nobody's ledger.
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.losses (topic, partition, messages, acknowledged)
            VALUES ('readings.verified', 1, 7, 7), ('readings.signed', 3, 5, 0) RETURNING 1
            """
        );
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at)
            VALUES ('k1', 'f', 'RSASSA-PSS-SHA256', '', now()), ('k2', 'g', 'RSASSA-PSS-SHA256', '', now()) RETURNING 1
            """
        );

        var ledger = await dashboard.Client.GetStringAsync("/api/books");

        Assert.Equal(TestData.Text("dashboard/ledger.json"), ledger);

        static string Envelope(string factoryId) =>
            $$"""{"data": {"factory_id": "{{factoryId}}", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1}, """
            + "\"signature\": \"AAAA\"}";
    }

    [SkippableFact]
    public async Task Health_is_degraded_while_readings_wait_and_nothing_is_stored()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, "--Dashboard:StalledAfter=00:00:01");
        using var topicIds = new TopicIds(new KafkaConnection(dashboard.Kafka));
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = dashboard.Kafka }).Build();
        await producer
            .ProduceAsync(new TopicPartition(TopicNames.Signed, 1), new Message<Null, byte[]> { Value = [] })
            .WaitAsync(RunningDashboard.Patience);

        await RunningSystem.EventuallyAsync(
            PipelineAsync,
            told => told is ["Degraded", var why] && why.EndsWith("s. Messages of readings.signed that wait: 1.", StringComparison.Ordinal)
        );

        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.checkpoints (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset, source_line)
            VALUES ($1, 1, 1, 'x', 1, $2, 0, 0) RETURNING 1
            """,
            TopicNames.Verified,
            await topicIds.GetAsync(TopicNames.Signed)
        );
        await RunningSystem.EventuallyAsync(PipelineAsync, told => told is ["Healthy", ""]);

        async Task<string[]> PipelineAsync()
        {
            using var response = await dashboard.Client.GetAsync("/health");
            // Degraded or not, it serves.
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var check = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("checks").GetProperty("pipeline");
            return [check.GetProperty("status").GetString()!, check.TryGetProperty("description", out var text) ? text.GetString()! : ""];
        }
    }
}
