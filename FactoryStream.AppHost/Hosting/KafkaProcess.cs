using System.Globalization;
using System.Text.RegularExpressions;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// Kafka as a process: Apache Kafka from <c>KAFKA_HOME</c>, one node, kept in the data folder; else a broker in memory. Settings, under the
/// resource's name: <c>in-memory</c> (true: no Apache Kafka even if there is one), <c>partitions</c> (12), <c>topics</c>, <c>heap</c>
/// (512m).
/// </summary>
internal sealed partial class KafkaProcess(KafkaProcessResource resource, DataFolder folder, IConfiguration configuration)
{
    /// <summary>What of the section <c>kafka</c> is the AppHost's, and no setting of a client.</summary>
    public static readonly string[] OwnSettings = ["in-memory", "partitions", "topics", "heap", "drain", "drain-seconds"];

    private readonly IConfigurationSection settings = configuration.GetSection(resource.Name);

    private string java = "";
    private int controllerPort;

    private string Libraries => Path.Combine(resource.Home!, "libs");

    private string Properties => Path.Combine(folder.Folder(resource.Name), "server.properties");

    private string Data => Path.Combine(folder.Folder(resource.Name), "data");

    private int Port => resource.PrimaryEndpoint.EndpointAnnotation.Port!.Value;

    private int Partitions => settings.GetValue("partitions", 12);

    /// <summary>The home of the Apache Kafka to run; null: the broker in memory.</summary>
    public static string? HomeOf(string name, IConfiguration configuration) =>
        configuration.GetValue($"{name}:in-memory", false) ? null
        : configuration["KAFKA_HOME"] is { Length: > 0 } home ? home
        : null;

    /// <summary>Before anything is started: what is needed is there, and ports are.</summary>
    public async Task PrepareAsync(Ports ports, CancellationToken cancellationToken)
    {
        var endpoint = resource.PrimaryEndpoint.EndpointAnnotation;
        endpoint.Port = endpoint.TargetPort = ports.For($"{resource.Name}/tcp");
        if (resource.Home is not { } home)
            return;
        if (!Directory.Exists(Libraries) || !Directory.EnumerateFiles(Libraries, "kafka*.jar").Any())
            throw new DistributedApplicationException($"KAFKA_HOME is {home}, but there is no Apache Kafka (libs/*.jar) in it.");
        java = await FindJavaAsync(cancellationToken);
        resource.Annotations.OfType<ExecutableAnnotation>().Last().Command = java;
        controllerPort = ports.For($"{resource.Name}/controller");
    }

    /// <summary>Before the broker is started: its settings are written, and its data folder is formatted.</summary>
    public async Task BeforeStartAsync(CancellationToken cancellationToken)
    {
        if (resource.Home is null)
            return;
        await File.WriteAllTextAsync(
            Properties,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                process.roles=broker,controller
                node.id=1
                controller.quorum.voters=1@127.0.0.1:{controllerPort}
                listeners=PLAINTEXT://127.0.0.1:{Port},CONTROLLER://127.0.0.1:{controllerPort}
                advertised.listeners=PLAINTEXT://127.0.0.1:{Port}
                controller.listener.names=CONTROLLER
                listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
                log.dirs={Data}
                num.partitions={Partitions}
                auto.create.topics.enable=false
                offsets.topic.replication.factor=1
                offsets.topic.num.partitions=4
                transaction.state.log.replication.factor=1
                transaction.state.log.min.isr=1
                share.coordinator.state.topic.replication.factor=1
                share.coordinator.state.topic.min.isr=1
                group.initial.rebalance.delay.ms=0
                """
            ),
            cancellationToken
        );
        if (File.Exists(Path.Combine(Data, "meta.properties")))
            return;
        var id = Convert.ToBase64String(Guid.NewGuid().ToByteArray())[..22].Replace('+', '0').Replace('/', '1');
        await Programs.RunAsync(
            [java, "-cp", $"{Libraries}/*", "kafka.tools.StorageTool", "format", "-t", id, "-c", Properties, "--ignore-formatted"],
            folder.Folder(resource.Name),
            "Kafka's data folder cannot be formatted",
            cancellationToken
        );
    }

    /// <summary>The program's arguments.</summary>
    public IEnumerable<string> Arguments()
    {
        if (resource.Home is null)
        {
            string[] broker =
            [
                "--port",
                Port.ToString(CultureInfo.InvariantCulture),
                "--partitions",
                Partitions.ToString(CultureInfo.InvariantCulture),
            ];
            return [.. broker, .. settings.GetSection("topics").Get<string[]>() ?? []];
        }
        var heap = settings["heap"] ?? "512m";
        return
        [
            $"-Xms{heap}",
            $"-Xmx{heap}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-cp",
            $"{Libraries}/*",
            "kafka.Kafka",
            Properties,
        ];
    }

    private async Task<string> FindJavaAsync(CancellationToken cancellationToken)
    {
        var java = configuration["JAVA_HOME"] is { Length: > 0 } home ? Path.Combine(home, "bin", "java") : Programs.Find("java");
        if (java is null || !File.Exists(java))
        {
            throw new DistributedApplicationException(
                "Apache Kafka needs a Java 17 runtime: install one (Debian: openjdk-17-jre-headless), set JAVA_HOME, or run without "
                    + "it by --kafka:in-memory true."
            );
        }
        var version = await Programs.RunAsync([java, "-version"], "/", $"{java} cannot be run", cancellationToken);
        return
            JavaVersion().Match(version) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) < 17
            ? throw new DistributedApplicationException(
                $"Apache Kafka needs Java 17 or newer; {java} is {match.Groups[1].Value}. " + "Set JAVA_HOME to another."
            )
            : java;
    }

    [GeneratedRegex("""version "(\d+)""")]
    private static partial Regex JavaVersion();
}
