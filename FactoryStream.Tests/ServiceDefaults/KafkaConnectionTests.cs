using Confluent.Kafka;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.Configuration;

namespace FactoryStream.Tests.ServiceDefaults;

public sealed class KafkaConnectionTests
{
    [Fact]
    public void Client_settings_of_the_configuration_are_every_clients()
    {
        var kafka = Of(
            ("ConnectionStrings:kafka", "plant:9093"),
            ("Kafka:SecurityProtocol", "SaslSsl"),
            ("kafka:saslmechanism", "ScramSha512"),
            ("Kafka:SaslUsername", "me"),
            ("Kafka:SslCaLocation", "/ca.pem")
        );

        var config = kafka.Apply(new ConsumerConfig());

        Assert.Equal("plant:9093", kafka.Servers);
        Assert.Equal(
            (SecurityProtocol.SaslSsl, SaslMechanism.ScramSha512, "me", "/ca.pem"),
            (config.SecurityProtocol, config.SaslMechanism, config.SaslUsername, config.SslCaLocation)
        );
    }

    [Fact]
    public void What_a_client_has_set_itself_stays()
    {
        var config = Of(("Kafka:SocketTimeoutMs", "1"), ("Kafka:ClientId", "plant"))
            .Apply(new AdminClientConfig { SocketTimeoutMs = 5_000 });

        Assert.Equal((5_000, "plant"), (config.SocketTimeoutMs, config.ClientId));
    }

    [Theory]
    [InlineData("Kafka:SecurtyProtocol", "SaslSsl", "Kafka:SecurtyProtocol is no setting of a Kafka client")]
    [InlineData("Kafka:SecurityProtocol", "Tls", "Kafka:SecurityProtocol")]
    public void A_setting_that_is_unknown_or_cannot_be_read_is_named(string key, string value, string words) =>
        Assert.Contains(words, Assert.Throws<InvalidOperationException>(() => Of((key, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void Without_an_address_the_error_says_what_to_set() =>
        Assert.Contains(
            "ConnectionStrings__kafka",
            Assert.Throws<InvalidOperationException>(() => Of().Servers).Message,
            StringComparison.Ordinal
        );

    private static KafkaConnection Of(params (string Key, string Value)[] settings) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
                .Build()
        );
}
