using System.Net;
using System.Runtime.InteropServices;
using FactoryStream.InMemoryKafka;

// FactoryStream.InMemoryKafka --port 9092 --partitions 12 TOPIC...
if (
    args is not ["--port", var portText, "--partitions", var partitionsText, .. var topics]
    || !int.TryParse(portText, out var port)
    || !int.TryParse(partitionsText, out var partitions)
    || partitions < 1
    || port is < 1 or > 65535
)
{
    Console.Error.WriteLine("Usage: FactoryStream.InMemoryKafka --port PORT --partitions NUMBER TOPIC...");
    return 2;
}

var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ended.TrySetResult();
}

using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var broker = new InMemoryBroker(topics, partitions);

// The broker chooses its own port, which clients learn when they have once reached it: by a port that is known before.
await using var relay = new Relay(port, () => [IPEndPoint.Parse(broker.BootstrapServers).Port]);
Console.WriteLine(
    "WARNING: this Kafka is in memory alone: what is not yet in the database is lost with it. For one that keeps it "
        + "set KAFKA_HOME or ConnectionStrings__kafka."
);
await ended.Task;
return 0;
