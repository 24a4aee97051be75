namespace FactoryStream.AppHost.Publishing;

/// <summary>The servers that published applications bring along, pinned; the versions are those that the tests run against or Aspire's own.</summary>
internal static class ContainerImages
{
    public const string KafkaRepository = "docker.io/apache/kafka";
    public const string KafkaTag = "4.2.1";

    /// <summary>appuser of the image.</summary>
    public const long KafkaUser = 1000;
    public const string KafkaData = "/var/lib/kafka/data";
    public const int KafkaPort = 9092;
    public const int KafkaControllerPort = 9093;

    public const string PostgresRepository = "docker.io/library/postgres";
    public const string PostgresTag = "18.3";

    /// <summary>postgres of the image.</summary>
    public const long PostgresUser = 999;

    /// <summary>Since 18 the image keeps each version's data in a folder of its own below this one.</summary>
    public const string PostgresData = "/var/lib/postgresql";
    public const int PostgresPort = 5432;
    public const string PostgresUserName = "postgres";
    public const string PostgresInitialize = "--auth-host=scram-sha-256 --auth-local=scram-sha-256";

    /// <summary>The user <c>app</c> of the .NET images, under which the SDK's images run.</summary>
    public const long DotnetUser = 1654;

    /// <summary>What the .NET images listen on.</summary>
    public const int DotnetPort = 8080;

    /// <summary>One node that is broker and controller, by the image's convention: KAFKA_X_Y becomes x.y of server.properties.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> KafkaSettings { get; } =
    [
        new("KAFKA_NODE_ID", "1"),
        new("KAFKA_PROCESS_ROLES", "broker,controller"),
        new("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
        new("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        new("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
        new("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093"),
        // A folder of its own: a fresh volume may hold lost+found, which Kafka would take for a topic.
        new("KAFKA_LOG_DIRS", $"{KafkaData}/log"),
        new("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
        new("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
        new("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1"),
        new("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
        // Topics are made with their partition count by the migrations; one made by accident would have the wrong one.
        new("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false"),
    ];
}
