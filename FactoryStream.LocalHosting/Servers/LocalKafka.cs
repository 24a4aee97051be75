using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.LocalHosting.Supervision;
using Microsoft.Extensions.Configuration;

namespace FactoryStream.LocalHosting.Servers;

/// <summary>
/// Kafka without a container: the one of <c>ConnectionStrings:kafka</c>; else Apache Kafka from <c>KAFKA_HOME</c>, one node, kept in the data folder;
/// else a broker in memory. Settings, under the resource's name: <c>in-memory</c> (true: no Apache Kafka even if there is one), <c>partitions</c> (12),
/// <c>topics</c>, <c>drain:RESOURCE:group</c> and <c>drain:RESOURCE:topics</c> (what a resource must have read before it is stopped), <c>drain-seconds</c> (30), <c>heap</c> (512m).
/// </summary>
internal sealed partial class LocalKafka(KafkaServerResource resource, IConfiguration configuration) : IAsyncDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    private readonly IConfigurationSection settings = configuration.GetSection(resource.Name);
    private InMemoryKafka? inMemory;
    private IAdminClient? admin;

    private string? External => configuration.GetConnectionString(resource.Name) is { Length: > 0 } external ? external : null;

    private string? Home => settings.GetValue("in-memory", false) ? null : configuration["KAFKA_HOME"] is { Length: > 0 } home ? home : null;

    public static IResourceBuilder<KafkaServerResource> Describe(IResourceBuilder<KafkaServerResource> builder, IDistributedApplicationBuilder application)
    {
        var kafka = new LocalKafka(builder.Resource, application.Configuration);
        return builder
            .WithAnnotation(new LaunchAnnotation("KafkaServer", kafka.PlanAsync))
            .WithAnnotation(new HealthCheckAnnotation($"{builder.Resource.Name}_check", (_, cancellationToken) => kafka.CheckAsync(cancellationToken)))
            .WithAnnotation(new DrainAnnotation(kafka.DrainAsync))
            .WithAnnotation(new ReferenceNoteAnnotation(context =>
            {
                if (kafka.External is null && kafka.Home is null)
                    context.EnvironmentVariables[$"{char.ToUpperInvariant(context.Resource.Name[0])}{context.Resource.Name[1..]}__BrokerIsInMemory"] = "true";
            }));
    }

    /// <summary>Stopped: refuses its clients, and keeps what it holds; gone with the AppHost.</summary>
    public ValueTask DisposeAsync()
    {
        inMemory?.SetUp(false);
        return ValueTask.CompletedTask;
    }

    private async Task<LaunchPlan> PlanAsync(LaunchContext context, CancellationToken cancellationToken)
    {
        if (External is { } external)
        {
            resource.SetConnectionString(external);
            return new LaunchPlan { Address = $"tcp://{external.Split(',')[0]}", Properties = [new ResourcePropertySnapshot("resource.source", "ConnectionStrings")] };
        }
        if (Home is { } home)
            return await ApacheAsync(context, home, cancellationToken);

        if (inMemory is null)
        {
            inMemory = new InMemoryKafka(settings.GetSection("topics").Get<string[]>() ?? [], settings.GetValue("partitions", 12));
            context.Log("WARNING: this Kafka is in memory alone: what is not yet in the database is lost with the AppHost. For one that keeps it set KAFKA_HOME or ConnectionStrings__kafka.", true);
        }
        inMemory.SetUp(true);
        resource.SetConnectionString(inMemory.BootstrapServers);
        return new LaunchPlan { InProcess = this, Address = $"tcp://{inMemory.BootstrapServers}", Properties = [new ResourcePropertySnapshot("resource.source", "librdkafka, in memory")] };
    }

    private async Task<LaunchPlan> ApacheAsync(LaunchContext context, string home, CancellationToken cancellationToken)
    {
        var libraries = Path.Combine(home, "libs");
        if (!Directory.Exists(libraries) || !Directory.EnumerateFiles(libraries, "kafka*.jar").Any())
            throw new DistributedApplicationException($"KAFKA_HOME is {home}, but there is no Apache Kafka (libs/*.jar) in it.");
        var java = await FindJavaAsync(cancellationToken);
        var folder = context.Folder.Folder(resource.Name);
        var data = Path.Combine(folder, "data");
        var port = context.PortOf(KafkaServerResource.PrimaryEndpointName);
        var controllerPort = context.Ports.For($"{resource.Name}/controller");
        var properties = Path.Combine(folder, "server.properties");
        await File.WriteAllTextAsync(properties, string.Create(CultureInfo.InvariantCulture, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{controllerPort}
            listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controllerPort}
            advertised.listeners=PLAINTEXT://127.0.0.1:{port}
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
            log.dirs={data}
            num.partitions={settings.GetValue("partitions", 12)}
            auto.create.topics.enable=false
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=4
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1
            group.initial.rebalance.delay.ms=0
            """), cancellationToken);

        var heap = settings["heap"] ?? "512m";
        var environment = ProgramLaunch.InheritedEnvironment(context);
        string[] classPath = ["-cp", $"{libraries}/*"];
        if (!File.Exists(Path.Combine(data, "meta.properties")))
        {
            var id = Convert.ToBase64String(Guid.NewGuid().ToByteArray())[..22].Replace('+', '0').Replace('/', '1');
            await Programs.RunAsync(new ProcessSpec(java, [.. classPath, "kafka.tools.StorageTool", "format", "-t", id, "-c", properties, "--ignore-formatted"], environment, folder), "Kafka's data folder cannot be formatted", cancellationToken);
        }
        resource.SetConnectionString(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
        return new LaunchPlan
        {
            Process = new ProcessSpec(java, [$"-Xms{heap}", $"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", .. classPath, "kafka.Kafka", properties], environment, folder),
            DataFolder = data,
            Properties = [new ResourcePropertySnapshot("resource.source", home), new ResourcePropertySnapshot("executable.path", java)],
        };
    }

    private async Task<string> FindJavaAsync(CancellationToken cancellationToken)
    {
        var java = configuration["JAVA_HOME"] is { Length: > 0 } home ? Path.Combine(home, "bin", "java") : ChildProcess.FindOnPath("java");
        if (java is null || !File.Exists(java))
            throw new DistributedApplicationException("Apache Kafka needs a Java 17 runtime: install one (Debian: openjdk-17-jre-headless), set JAVA_HOME, or run without it by --kafka:in-memory true.");
        var version = await Programs.RunAsync(new ProcessSpec(java, ["-version"], new Dictionary<string, string>(), "/"), $"{java} cannot be run", cancellationToken);
        return JavaVersion().Match(version) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) < 17
            ? throw new DistributedApplicationException($"Apache Kafka needs Java 17 or newer; {java} is {match.Groups[1].Value}. Set JAVA_HOME to another.")
            : java;
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var client = await AdminAsync(cancellationToken);
        var metadata = client.GetMetadata(RequestTimeout);
        if (metadata.Brokers.Count == 0)
            throw new InvalidOperationException("No broker answers.");
    }

    private async Task<IAdminClient> AdminAsync(CancellationToken cancellationToken)
    {
        if (admin is not null)
            return admin;
        var servers = await resource.GetConnectionStringAsync(cancellationToken);
        // A broker that is not there yet is not worth a word on the console: the health report says so.
        return admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers, ReconnectBackoffMaxMs = 500 })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
    }

    /// <summary>Waits until a resource has read all that its group was given, as long as it gets on.</summary>
    private async Task DrainAsync(IResource reader, Action<string> say, CancellationToken cancellationToken)
    {
        var drain = settings.GetSection("drain").GetSection(reader.Name);
        if (External is not null || drain["group"] is not { } group || drain.GetSection("topics").Get<string[]>() is not { Length: > 0 } topics)
            return;
        var patience = TimeSpan.FromSeconds(settings.GetValue("drain-seconds", 30.0));
        var watch = Stopwatch.StartNew();
        long? first = null;
        try
        {
            while (true)
            {
                var lag = await LagAsync(group, topics, cancellationToken);
                if (lag == 0)
                    return;
                if (first is null)
                    say($"{lag} messages of {string.Join(", ", topics)} are left to be read first.");
                first ??= lag;
                if (watch.Elapsed > patience)
                {
                    say($"{lag} messages of {string.Join(", ", topics)} are left unread after {patience.TotalSeconds:F0} s.");
                    return;
                }
                await Task.Delay(100, cancellationToken);
            }
        }
        catch (KafkaException exception)
        {
            say($"It cannot be told whether all of {string.Join(", ", topics)} was read: {exception.Message}");
        }
    }

    private async Task<long> LagAsync(string group, string[] topics, CancellationToken cancellationToken)
    {
        var client = await AdminAsync(cancellationToken);
        var timeout = RequestTimeout;
        var partitions = topics.SelectMany(topic => client.GetMetadata(topic, timeout).Topics[0].Partitions.Select(partition => new TopicPartition(topic, partition.PartitionId))).ToList();
        if (partitions.Count == 0)
            return 0;
        var ends = await client.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Latest() }), new ListOffsetsOptions { RequestTimeout = timeout });
        var committed = await client.ListConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitions(group, partitions)], new ListConsumerGroupOffsetsOptions { RequestTimeout = timeout });
        var read = committed[0].Partitions.ToDictionary(partition => partition.TopicPartition, partition => partition.Offset.IsSpecial ? 0 : partition.Offset.Value);
        return ends.ResultInfos.Sum(end => Math.Max(0, end.TopicPartitionOffsetError.Offset.Value - read[end.TopicPartitionOffsetError.TopicPartition]));
    }

    [GeneratedRegex("""version "(\d+)""")]
    private static partial Regex JavaVersion();
}
