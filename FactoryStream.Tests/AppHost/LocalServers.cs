using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FactoryStream.Tests.AppHost;

/// <summary>What this machine has, and what is left of what ran on it.</summary>
internal static class LocalServers
{
    public const string NoPostgres = "no PostgreSQL server binaries on this machine";

    public static bool HasPostgres =>
        Directory.Exists("/usr/lib/postgresql") || FactoryStream.AppHost.Hosting.Programs.Find("postgres") is not null;

    /// <summary>The folder of an Apache Kafka to test with, or null.</summary>
    public static string? KafkaHome
    {
        get
        {
            var home =
                Environment.GetEnvironmentVariable("KAFKA_HOME")
                ?? Path.GetFullPath(Path.Combine(SharedData.Root, "..", "shared", "kafka"));
            return Directory.Exists(Path.Combine(home, "libs")) && FactoryStream.AppHost.Hosting.Programs.Find("java") is not null
                ? home
                : null;
        }
    }

    /// <summary>Every AppHost that is started from now on finds the Apache Kafka beside the checkout, if no other is named.</summary>
    public static void UseKafkaBesideTheCheckout()
    {
        if (KafkaHome is { } home)
            Environment.SetEnvironmentVariable("KAFKA_HOME", home);
    }

    /// <summary>The AppHost's own program: what lies beside the tests has not all that it needs.</summary>
    public static string AppHost =>
        FactoryStream.AppHost.Hosting.Programs.BuiltFrom(
            Path.Combine(Projects.FactoryStream_AppHost.ProjectPath, "FactoryStream.AppHost.csproj")
        )!;

    /// <summary>A port that nobody listens on.</summary>
    public static int FreePort() => FreePorts(1)[0];

    /// <summary>So many different ports that nobody listens on.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners)
            listener.Start();
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (var listener in listeners)
            listener.Dispose();
        return ports;
    }

    /// <summary>What PostgreSQL wrote down when it ended: DBState of global/pg_control.</summary>
    public static string ClusterState(string data)
    {
        // ControlFileData: system identifier (8 bytes), control version (4), catalogue version (4), then the state.
        var control = File.ReadAllBytes(Path.Combine(data, "global", "pg_control"));
        return BitConverter.ToInt32(control, 16) switch
        {
            1 => "shut down",
            6 => "in production",
            var other => other.ToString(CultureInfo.InvariantCulture),
        };
    }

    /// <summary>Lets others pass through: as root, PostgreSQL runs as a user who must.</summary>
    public static TemporaryFolder Reachable(this TemporaryFolder folder)
    {
        File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.OtherExecute);
        return folder;
    }
}
