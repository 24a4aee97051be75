using System.Reflection;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;

namespace FactoryStream.ServiceDefaults.Kafka;

/// <summary>
/// Where Kafka is and how to sign in there, for every client of every service: <c>ConnectionStrings__kafka</c>
/// (host:port[,host:port...]) and the section <c>Kafka</c>, whose keys are Confluent.Kafka's names of librdkafka's client settings
/// (<c>Kafka__SecurityProtocol=SaslSsl</c>, <c>SaslMechanism</c>, <c>SaslUsername</c>, <c>SaslPassword</c>, <c>SslCaLocation</c>, ...).
/// What a client needs to be correct (its group, its commits) is its own and is not changed by them.
/// </summary>
public sealed class KafkaConnection
{
    /// <summary>The name of the connection string.</summary>
    public const string Name = "kafka";

    /// <summary>The name of the configuration section with the client settings.</summary>
    public const string Section = "Kafka";

    private static readonly HashSet<string> SettingNames = new(
        typeof(ClientConfig)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => property.Name),
        StringComparer.OrdinalIgnoreCase
    );

    private readonly string? servers;
    private readonly ClientConfig common = new();

    /// <summary>The connection that a program's configuration describes.</summary>
    /// <param name="configuration">With the connection string and the section.</param>
    /// <exception cref="InvalidOperationException">A setting is unknown, or its value cannot be read.</exception>
    public KafkaConnection(IConfiguration configuration)
        : this(configuration.GetConnectionString(Name), configuration.GetSection(Section), []) { }

    /// <summary>A connection without client settings: a broker that asks for neither TLS nor a password.</summary>
    /// <param name="servers">The brokers to ask first: host:port[,host:port...].</param>
    public KafkaConnection(string servers) => this.servers = servers;

    /// <summary>A connection whose section holds other programs' settings as well.</summary>
    /// <param name="servers">The brokers to ask first: host:port[,host:port...]; null: their first use fails with a message that says
    /// so.</param>
    /// <param name="section">The configuration section with the client settings.</param>
    /// <param name="others">Keys of that section that are no client settings.</param>
    /// <exception cref="InvalidOperationException">A setting is unknown, or its value cannot be read.</exception>
    public KafkaConnection(string? servers, IConfigurationSection section, IReadOnlyCollection<string> others)
    {
        this.servers = servers;
        foreach (var setting in section.GetChildren())
        {
            if (others.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
                continue;
            if (!SettingNames.Contains(setting.Key))
                throw new InvalidOperationException(
                    $"{Section}:{setting.Key} is no setting of a Kafka client. Known are those of "
                        + "Confluent.Kafka's ClientConfig, for instance SecurityProtocol, SaslMechanism, SaslUsername, "
                        + "SaslPassword, SslCaLocation."
                );
        }
        section.Bind(common);
    }

    /// <summary>The brokers to ask first: host:port[,host:port...].</summary>
    /// <exception cref="InvalidOperationException">There is no connection string.</exception>
    public string Servers =>
        string.IsNullOrWhiteSpace(servers)
            ? throw new InvalidOperationException(
                $"No Kafka address: set ConnectionStrings__{Name} (host:port[,host:port...]) or start the " + "service through the AppHost."
            )
            : servers;

    /// <summary>Whether a key of the section is the name of a client setting.</summary>
    /// <param name="key">The name, in upper or lower case.</param>
    public static bool IsSetting(string key) => SettingNames.Contains(key);

    /// <summary>Adds the client settings to those of one client; what that has set itself stays.</summary>
    /// <typeparam name="T">The kind of client configuration.</typeparam>
    /// <param name="config">The settings of one client; changed in place.</param>
    /// <returns><paramref name="config"/>.</returns>
    public T Apply<T>(T config)
        where T : ClientConfig
    {
        foreach (var (setting, value) in common)
        {
            if (config.Get(setting) is null)
                config.Set(setting, value);
        }
        return config;
    }

    /// <summary>A consumer on this connection, yet to be built.</summary>
    /// <param name="config">What the client itself needs; the address and the client settings are added.</param>
    /// <exception cref="InvalidOperationException">There is no connection string.</exception>
    public ConsumerBuilder<TKey, TValue> Consumer<TKey, TValue>(ConsumerConfig config)
    {
        config.BootstrapServers = Servers;
        return new ConsumerBuilder<TKey, TValue>(Apply(config));
    }

    /// <summary>A consumer that logs nothing: what cannot be reached shows as the call's own exception.</summary>
    /// <inheritdoc cref="Consumer{TKey, TValue}(ConsumerConfig)"/>
    public IConsumer<TKey, TValue> QuietConsumer<TKey, TValue>(ConsumerConfig config) =>
        Consumer<TKey, TValue>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();

    /// <summary>An admin client that logs nothing: what cannot be reached shows as the call's own exception.</summary>
    /// <param name="config">What the client itself needs; the address and the client settings are added.</param>
    /// <exception cref="InvalidOperationException">There is no connection string.</exception>
    public IAdminClient QuietAdmin(AdminClientConfig config)
    {
        config.BootstrapServers = Servers;
        return new AdminClientBuilder(Apply(config)).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
    }
}
