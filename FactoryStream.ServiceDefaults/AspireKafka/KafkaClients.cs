using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Aspire.Confluent.Kafka
{
    /// <summary>
    /// Settings of a Kafka producer; the switches for health checks, metrics and tracing have nothing to switch here: the services bring
    /// their own.
    /// </summary>
    public sealed class KafkaProducerSettings
    {
        /// <summary>The brokers to ask first: host:port[,host:port...]; null: that of the configuration.</summary>
        public string? ConnectionString { get; set; }

        /// <summary>The settings of the Confluent client.</summary>
        public ProducerConfig Config { get; } = new();

        /// <summary>Without effect: there are no metrics to leave out.</summary>
        public bool DisableMetrics { get; set; }

        /// <summary>Without effect: there are no health checks to leave out.</summary>
        public bool DisableHealthChecks { get; set; }

        /// <summary>Without effect: there is no tracing to leave out.</summary>
        public bool DisableTracing { get; set; }
    }

    /// <summary>Settings of a Kafka consumer; see <see cref="KafkaProducerSettings"/>.</summary>
    public sealed class KafkaConsumerSettings
    {
        /// <summary>The brokers to ask first: host:port[,host:port...]; null: that of the configuration.</summary>
        public string? ConnectionString { get; set; }

        /// <summary>The settings of the Confluent client.</summary>
        public ConsumerConfig Config { get; } = new();

        /// <summary>Without effect: there are no metrics to leave out.</summary>
        public bool DisableMetrics { get; set; }

        /// <summary>Without effect: there are no health checks to leave out.</summary>
        public bool DisableHealthChecks { get; set; }

        /// <summary>Without effect: there is no tracing to leave out.</summary>
        public bool DisableTracing { get; set; }
    }
}

namespace Microsoft.Extensions.Hosting
{
    /// <summary>Registers producers under the names of <c>Aspire.Confluent.Kafka</c>.</summary>
    public static class AspireKafkaProducerExtensions
    {
        /// <summary>Registers a singleton <see cref="IProducer{TKey, TValue}"/> on the connection string of that name.</summary>
        /// <exception cref="InvalidOperationException">On first use, when there is no connection string.</exception>
        public static void AddKafkaProducer<TKey, TValue>(
            this IHostApplicationBuilder builder,
            string connectionName,
            Action<KafkaProducerSettings>? configureSettings = null,
            Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder = null
        )
        {
            var settings = new KafkaProducerSettings();
            KafkaSettings.Bind(builder, "Producer", connectionName, settings, settings.Config);
            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            builder.Services.AddSingleton(services =>
            {
                settings.Config.BootstrapServers = KafkaSettings.Require(
                    settings.ConnectionString ?? settings.Config.BootstrapServers,
                    connectionName
                );
                var producer = new ProducerBuilder<TKey, TValue>(settings.Config);
                var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(KafkaSettings.LogCategory);
                producer.SetLogHandler((_, message) => KafkaSettings.Log(logger, message));
                configureBuilder?.Invoke(services, producer);
                return producer.Build();
            });
        }
    }

    /// <summary>Registers consumers under the names of <c>Aspire.Confluent.Kafka</c>.</summary>
    public static class AspireKafkaConsumerExtensions
    {
        /// <summary>Registers a singleton <see cref="IConsumer{TKey, TValue}"/> on the connection string of that name.</summary>
        /// <exception cref="InvalidOperationException">On first use, when there is no connection string.</exception>
        public static void AddKafkaConsumer<TKey, TValue>(
            this IHostApplicationBuilder builder,
            string connectionName,
            Action<KafkaConsumerSettings>? configureSettings = null,
            Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder = null
        )
        {
            var settings = new KafkaConsumerSettings();
            KafkaSettings.Bind(builder, "Consumer", connectionName, settings, settings.Config);
            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            builder.Services.AddSingleton(services =>
            {
                settings.Config.BootstrapServers = KafkaSettings.Require(
                    settings.ConnectionString ?? settings.Config.BootstrapServers,
                    connectionName
                );
                var consumer = new ConsumerBuilder<TKey, TValue>(settings.Config);
                var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(KafkaSettings.LogCategory);
                consumer.SetLogHandler((_, message) => KafkaSettings.Log(logger, message));
                configureBuilder?.Invoke(services, consumer);
                return consumer.Build();
            });
        }
    }

    internal static class KafkaSettings
    {
        public const string LogCategory = "Aspire.Confluent.Kafka";

        public static void Bind(IHostApplicationBuilder builder, string role, string connectionName, object settings, ClientConfig config)
        {
            var section = builder.Configuration.GetSection($"Aspire:Confluent:Kafka:{role}");
            foreach (var part in (IConfigurationSection[])[section, section.GetSection(connectionName)])
            {
                part.Bind(settings);
                part.GetSection("Config").Bind(config);
            }
        }

        public static string Require(string? connectionString, string connectionName) =>
            string.IsNullOrEmpty(connectionString)
                ? throw new InvalidOperationException(
                    $"No Kafka address: set ConnectionStrings__{connectionName} (host:port[,host:port...]) or start the service "
                        + "through the AppHost."
                )
                : connectionString;

        public static void Log(ILogger logger, LogMessage message) =>
            logger.Log(
                (LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging),
                0,
                message.Message,
                null,
                static (text, _) => text
            );
    }
}
