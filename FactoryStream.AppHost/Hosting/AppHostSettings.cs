using System.Net;
using System.Security.Cryptography;
using System.Text;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// The AppHost's own settings, by command line (<c>--simulator false</c>), environment (<c>simulator=false</c>) or appsettings.json,
/// read once. docs/operations.md lists all.
/// </summary>
internal sealed class AppHostSettings
{
    private readonly IConfiguration configuration;

    private AppHostSettings(IConfiguration configuration, string appHostDirectory)
    {
        this.configuration = configuration;
        IsDataTemporary = configuration["data"] is not { Length: > 0 } && RandomizePorts;
        DataFolder =
            configuration["data"] is { Length: > 0 } path ? Path.GetFullPath(path)
            : IsDataTemporary ? Path.Combine(Path.GetTempPath(), $"factorystream-test-{Guid.NewGuid():N}")
            : StandardDataFolder(appHostDirectory);
        // Checked at the start, before a client fails.
        Kafka(servers: null);
        if (!IPAddress.TryParse(Listen, out _) && Listen != "localhost")
            throw new DistributedApplicationException(
                $"listen: expected an address, for instance 0.0.0.0 for the whole network, found '{Listen}'."
            );
    }

    /// <summary>Ten simulated factories send readings; true.</summary>
    public bool Simulator => configuration.GetValue("simulator", true);

    /// <summary>There is FactoryStream's own Dashboard; true.</summary>
    public bool Dashboard => configuration.GetValue("dashboard", true);

    /// <summary>There is an Aspire dashboard; true.</summary>
    public bool AspireDashboard => configuration.GetValue("aspire-dashboard", true);

    /// <summary>Kafka and PostgreSQL are containers, or processes; null: containers where an engine is within reach.</summary>
    public bool? Containers => configuration.GetValue<bool?>("containers");

    /// <summary>Containers and their volumes outlive the AppHost; true.</summary>
    public bool Persistent => configuration.GetValue("persistent", true);

    /// <summary>The address that the services which others reach (Ingest, Verifier, Dashboard) listen on; localhost.</summary>
    public string Listen => configuration["listen"] is { Length: > 0 } address ? address : "localhost";

    /// <summary>The folder that servers' data and generated secrets live in; one for each user and checkout.</summary>
    public string DataFolder { get; }

    /// <summary>The data folder goes with the application: that of a test which named none.</summary>
    public bool IsDataTemporary { get; }

    /// <summary>Ports are anybody's, since several applications may run at a time: a test.</summary>
    public bool RandomizePorts => configuration.GetValue("DcpPublisher:RandomizePorts", false);

    /// <summary>A collector of the user's own, in place of the Aspire dashboard; none.</summary>
    public string? Collector => configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 } endpoint ? endpoint : null;

    /// <summary>The public port of a service.</summary>
    public int? Port(string service, int? standard) => configuration.GetValue<int?>($"{service}:port") ?? standard;

    /// <summary>How many of a service there are.</summary>
    public int Replicas(string service, int standard) =>
        configuration.GetValue($"{service}:replicas", standard) is > 0 and <= 100 and var replicas
            ? replicas
            : throw new DistributedApplicationException($"{service}:replicas: expected a number from 1 to 100.");

    /// <summary>A service's own options: what stands under its name and is not the AppHost's.</summary>
    public IEnumerable<KeyValuePair<string, string>> Options(string service) =>
        configuration
            .GetSection(service)
            .AsEnumerable(makePathsRelative: true)
            .Where(option => option is { Key: not ("" or "port" or "replicas"), Value: not null })
            .Select(option => KeyValuePair.Create($"{service}__{option.Key.Replace(":", "__", StringComparison.Ordinal)}", option.Value!));

    /// <summary>How to sign in at a Kafka: the client settings among the section <c>kafka</c>.</summary>
    /// <exception cref="DistributedApplicationException">One is unknown, or its value cannot be read.</exception>
    public KafkaConnection Kafka(string? servers)
    {
        try
        {
            return new KafkaConnection(servers, configuration.GetSection(KafkaConnection.Section), KafkaProcess.OwnSettings);
        }
        catch (InvalidOperationException exception)
        {
            throw new DistributedApplicationException(exception.Message, exception);
        }
    }

    /// <summary>The client settings, as services get them.</summary>
    public IEnumerable<KeyValuePair<string, string>> KafkaSettings() =>
        configuration
            .GetSection(KafkaConnection.Section)
            .GetChildren()
            .Where(setting => setting.Value is not null && KafkaConnection.IsSetting(setting.Key))
            .Select(setting => KeyValuePair.Create($"{KafkaConnection.Section}__{setting.Key}", setting.Value!));

    /// <summary>The AppHost's own settings of a builder.</summary>
    public static AppHostSettings Of(IDistributedApplicationBuilder builder) => new(builder.Configuration, builder.AppHostDirectory);

    /// <summary>A folder of this user and this checkout.</summary>
    private static string StandardDataFolder(string appHostDirectory)
    {
        var checkout = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(appHostDirectory, "..")));
        var name =
            $"{Path.GetFileName(checkout)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(checkout)).AsSpan(0, 4))}";
        // A server that runs as another user than root must be able to reach its files: nobody can in /root.
        var parent =
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? "/var/lib"
            : Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } home ? home
            : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(parent, "factorystream", name);
    }
}
