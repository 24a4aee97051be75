using FactoryStream.Signatures;
using FactoryStream.Tests.AppHost;

namespace FactoryStream.Tests.Distributed;

/// <summary>The whole system on a Kafka of the user's own that asks for TLS and a password.</summary>
public sealed class SecuredKafkaTests
{
    [SkippableFact]
    public async Task On_a_kafka_with_tls_and_passwords_every_reading_is_stored_and_the_books_balance()
    {
        Skip.If(LocalServers.KafkaHome is null, "no Apache Kafka and Java on this machine");
        await using var kafka = await SecuredKafka.StartAsync(LocalServers.KafkaHome);
        await using var plant = await Plant.StartAsync(
            $"--ConnectionStrings:kafka={kafka.Servers}",
            "--kafka:SecurityProtocol=SaslSsl",
            "--kafka:SaslMechanism=Plain",
            $"--kafka:SaslUsername={SecuredKafka.User}",
            $"--kafka:SaslPassword={SecuredKafka.Password}",
            $"--kafka:SslCaLocation={kafka.Authority}",
            "--Migrations:ReplicationFactor=1"
        );
        using var signer = ReadingSigner.Create();
        const string factory = "secured";
        await plant.EnrolAsync(factory, signer.ExportPublicKeyPem());
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        string[] lines =
        [
            .. Enumerable.Range(0, 50).Select(second => Plant.Sign(signer, factory, $"e{second % 5}", start.AddSeconds(second), second)),
            // One that the Verifier rejects: readings.rejected is written and read as well.
            Plant.Sign(signer, factory, "e1", start, 1).Replace("\"rpm\": 1", "\"rpm\": 2", StringComparison.Ordinal),
        ];

        // A client of GET /stream makes Ingest a consumer, too.
        using var live = plant.Client("ingest");
        await using var stream = await live.GetStreamAsync(new Uri("/stream", UriKind.Relative));
        using var reader = new StreamReader(stream);
        Assert.Equal(202, (await plant.PostAsync(lines)).Status);

        string? line;
        do
        {
            // Empty lines say that the stream is alive.
            line = await reader.ReadLineAsync().WaitAsync(Plant.Patience);
        } while (line?.Length == 0);
        Assert.Contains(factory, line, StringComparison.Ordinal);
        var books = await plant.CommittedAsync(factory, lines.Length);
        books.AssertBalanced();
        Assert.Equal((50L, 1L), (books.Stored, books.Rejected["bad_signature"]));
        Assert.Equal(50, await plant.StoredAsync(factory));
    }
}
