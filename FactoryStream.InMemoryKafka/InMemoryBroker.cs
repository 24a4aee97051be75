using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace FactoryStream.InMemoryKafka;

/// <summary>
/// librdkafka's broker in memory. It speaks the real protocol to the real clients and gives real topic ids, but keeps
/// 5 MB a partition, forgets the oldest beyond that, and everything with its process; it creates no topics for clients, so all are made
/// here.
/// </summary>
internal sealed partial class InMemoryBroker : IDisposable
{
    private const string Library = "librdkafka-of-confluent";
    private const int BrokerId = 1;

    private readonly nint client;
    private readonly nint cluster;
    private bool disposed;

    static InMemoryBroker()
    {
        // Confluent.Kafka chooses among the librdkafkas it ships with by what the machine has; the mock must be of the very same one.
        NativeLibrary.SetDllImportResolver(
            typeof(InMemoryBroker).Assembly,
            (name, assembly, path) =>
            {
                if (name != Library)
                    return 0;
                Confluent.Kafka.Library.Load();
                var loaded =
                    File.ReadLines("/proc/self/maps")
                        .Select(line => line[(line.LastIndexOf(' ') + 1)..])
                        .FirstOrDefault(file => file.Contains("librdkafka", StringComparison.Ordinal))
                    ?? throw new DllNotFoundException("Confluent.Kafka loaded no librdkafka.");
                return NativeLibrary.Load(loaded);
            }
        );
    }

    /// <summary>Starts a broker on a free loopback port.</summary>
    public InMemoryBroker(IEnumerable<string> topics, int partitions)
    {
        var configuration = NewConfiguration();
        var error = new byte[512];
        // 2: only critical messages. The handle itself talks to no broker, and would say so.
        _ = SetConfiguration(configuration, "log_level", "2", error, (nuint)error.Length);
        client = NewClient(0, configuration, error, (nuint)error.Length);
        if (client == 0)
            throw new InvalidOperationException($"librdkafka: {System.Text.Encoding.UTF8.GetString(error).TrimEnd('\0')}");
        cluster = NewCluster(client, BrokerId);
        foreach (var topic in topics)
        {
            var failure = CreateTopic(cluster, topic, partitions, 1);
            if (failure != 0)
                throw new KafkaException((ErrorCode)failure);
        }
        // Without a controller admin clients wait for one until they time out.
        _ = SetController(cluster, BrokerId);
        // A group's first assignment need not wait 3 s for members that a test or a demo does not have.
        SetRebalanceDelay(cluster, 100);
        BootstrapServers =
            Marshal.PtrToStringUTF8(Bootstraps(cluster)) ?? throw new InvalidOperationException("librdkafka's broker has no address.");
    }

    public string BootstrapServers { get; }

    /// <summary>Refuses clients, or takes them again; what it holds stays.</summary>
    public void SetUp(bool up) => _ = up ? BrokerUp(cluster, BrokerId) : BrokerDown(cluster, BrokerId);

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        DestroyCluster(cluster);
        DestroyClient(client);
    }

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    private static partial nint NewConfiguration();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetConfiguration(nint configuration, string name, string value, byte[] error, nuint errorSize);

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    private static partial nint NewClient(int type, nint configuration, byte[] error, nuint errorSize);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    private static partial void DestroyClient(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial nint NewCluster(nint client, int brokers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void DestroyCluster(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial nint Bootstraps(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateTopic(nint cluster, string topic, int partitions, int replicationFactor);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_set_controller_id")]
    private static partial int SetController(nint cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    private static partial void SetRebalanceDelay(nint cluster, int milliseconds);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static partial int BrokerDown(nint cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static partial int BrokerUp(nint cluster, int broker);
}
