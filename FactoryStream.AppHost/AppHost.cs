// The whole of FactoryStream: every resource, and what it needs. Written against Aspire's API, run by Aspire or as plain processes.
//
// Settings, by command line (--simulator false), environment (ingest__replicas=2) or appsettings.json:
//   simulator                   true: ten simulated factories send readings
//   dashboard                   true; false leaves it out
//   NAME:replicas               instances of ingest (1), verifier (2), aggregator (1)
//   kafka:partitions            of each topic (12), said before the topics are made
//   NAME:port                   of ingest (8001), verifier (8000), dashboard (8003)
//   Parameters:admin-token      who may enrol and revoke keys; generated and kept if not given
//   Ingest:*, Migrations:*, ... a service's own options, handed on to it as they are
// of the way of containers alone: persistent (true: containers and volumes outlive the AppHost), and publish:to (AspirePublishing.cs);
// and of the local way alone: data (the folder everything lives in), aspire-dashboard (true; false leaves the Aspire dashboard out),
// ConnectionStrings:kafka and ConnectionStrings:factorydb (servers of your own), KAFKA_HOME (an unpacked Apache Kafka),
// kafka:in-memory (true: none of them).
var builder = DistributedApplication.CreateBuilder(args);
var settings = builder.Configuration;

var adminToken = builder.AddParameter("admin-token", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true)
    .WithDescription("Whoever sends it as a bearer token may enrol and revoke signing keys, and purge the data.");

// Images are pinned before volumes are mounted: where PostgreSQL keeps its data follows from its version.
var kafka = builder.AddKafka("kafka").WithImageTag("8.2.0")
    .WithKafkaUI(page => page.WithImageTag("v1.5.0").WithUrlForEndpoint("http", url => url.DisplayText = "Topics and messages").WithExplicitStart());
var postgres = builder.AddPostgres("postgres").WithImageTag("18.3")
    .WithPgWeb(page => page.WithImageTag("0.17.0").WithUrlForEndpoint("http", url => url.DisplayText = "Tables").WithExplicitStart());
var factoryDb = postgres.AddDatabase("factorydb");
if (builder.ExecutionContext.IsPublishMode || settings.GetValue("persistent", true))
{
    kafka.WithDataVolume("kafka-data");
    postgres.WithDataVolume("postgres-data");
}
if (builder.ExecutionContext.IsRunMode && settings.GetValue("persistent", true))
{
    kafka.WithLifetime(ContainerLifetime.Persistent);
    postgres.WithLifetime(ContainerLifetime.Persistent);
}

var migrations = builder.AddProject<Projects.FactoryStream_Migrations>("migrations", launchProfileName: null)
    .WithReference(factoryDb).WaitFor(factoryDb)
    .WithReference(kafka).WaitFor(kafka)
    .WithEnvironment(HandOn("migrations"));
if (settings["kafka:partitions"] is { } partitions)
    migrations.WithEnvironment("Migrations__Partitions", partitions);

var ingest = Service<Projects.FactoryStream_Ingest>("ingest", port: 8001)
    .WithReference(kafka)
    .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/stream", "Live readings"))
    .WithExternalHttpEndpoints();

var verifier = Service<Projects.FactoryStream_Verifier>("verifier", port: 8000, replicas: 2)
    .WithReference(kafka)
    .WithReference(factoryDb)
    .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/keys", "Signing keys"))
    .WithEnvironment("Verifier__AdminToken", adminToken);
// Which factories have a key; Ingest takes readings without it, so it waits for none.
ingest.WithReference(verifier);

Service<Projects.FactoryStream_Aggregator>("aggregator")
    .WithReference(kafka)
    .WithReference(factoryDb)
    .WithEnvironment("Aggregator__AdminToken", adminToken)
    .WithHttpCommand("/purge", "Purge data", commandName: "purge", commandOptions: new()
    {
        Description = "Deletes every reading, window, rejection and the books; signing keys stay.",
        ConfirmationMessage = "Delete all readings, windows, rejections and the books for good? Signing keys stay, and counting goes on from zero.",
        IconName = "Delete",
        PrepareRequest = async context => context.Request.Headers.Authorization = new("Bearer", await adminToken.Resource.GetValueAsync(context.CancellationToken)),
    });

if (settings.GetValue("dashboard", true))
{
    Service<Projects.FactoryStream_Dashboard>("dashboard", port: 8003)
        .WithReference(kafka)
        .WithReference(factoryDb)
        .WithReference(ingest)
        .WithUrlForEndpoint("http", url => url.DisplayText = "Windows and books")
        .WithExternalHttpEndpoints();
}

if (settings.GetValue("simulator", true))
{
    Service<Projects.FactoryStream_Simulator>("simulator")
        .WithArgs("simulate")
        .WithReference(ingest).WaitFor(ingest)
        .WithReference(verifier).WaitFor(verifier)
        .WithEnvironment("Simulator__AdminToken", adminToken)
        .WithHttpCommand("/pause", "Pause", commandName: "pause", commandOptions: new() { Description = "Takes no readings until resumed.", IconName = "Pause" })
        .WithHttpCommand("/resume", "Resume", commandName: "resume", commandOptions: new() { Description = "Takes readings again.", IconName = "PlayCircle" });
}

AddPublishing(builder);
builder.Build().Run();

// What all services share: an address, probes, their settings, and that Kafka, the database and its tables are there first.
IResourceBuilder<ProjectResource> Service<TProject>(string name, int? port = null, int replicas = 1) where TProject : IProjectMetadata, new() =>
    builder.AddProject<TProject>(name, launchProfileName: null)
        .WithHttpEndpoint(port: port is null ? null : settings.GetValue($"{name}:port", port))
        .WithHttpProbe(ProbeType.Readiness, "/health", timeoutSeconds: 3, endpointName: "http")
        .WithHttpProbe(ProbeType.Liveness, "/alive", periodSeconds: 10, timeoutSeconds: 3, endpointName: "http")
        .WithReplicas(settings.GetValue($"{name}:replicas", replicas))
        .WithEnvironment(HandOn(name))
        .WaitFor(kafka)
        .WaitForCompletion(migrations);

// A resource's own options, as they are.
Action<EnvironmentCallbackContext> HandOn(string name) => context =>
{
    foreach (var (key, value) in settings.GetSection(name).AsEnumerable(makePathsRelative: true))
    {
        if (key is not ("" or "port" or "replicas") && value is not null)
            context.EnvironmentVariables[$"{name}__{key.Replace(":", "__", StringComparison.Ordinal)}"] = value;
    }
};

internal static partial class Program
{
    /// <summary>What only Aspire's publishers need: AspirePublishing.cs. In the local way nothing, and the call is gone: its publisher reads the model and appsettings.json.</summary>
    static partial void AddPublishing(IDistributedApplicationBuilder builder);
}
