// The whole of FactoryStream: every resource, and what it needs. How they run, and the settings: Hosting/, docs/operations.md.
var builder = DistributedApplication.CreateBuilder(AppHostBuilderExtensions.Options(args));
var settings = builder.Settings();
var adminToken = builder
    .AddGeneratedSecret("admin-token", minLength: 32)
    .WithDescription("Whoever sends it as a bearer token may enrol and revoke signing keys, and purge the data.");

var kafka = builder.AddKafkaServer("kafka");
var factoryDb = builder.AddPostgresDatabase("postgres", "factorydb");

var migrations = builder
    .AddBuiltProject<Projects.FactoryStream_Migrations>("migrations")
    .WithReference(factoryDb)
    .WaitFor(factoryDb)
    .WithReference(kafka)
    .WaitFor(kafka)
    .WithServiceSettings();
if (builder.Configuration["kafka:partitions"] is { } partitions)
    migrations.WithEnvironment("Migrations__Partitions", partitions);

var ingest = builder
    .AddService<Projects.FactoryStream_Ingest>("ingest", port: 8001)
    .WithServers(migrations, kafka)
    .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/stream", "Live readings"))
    .WithExternalHttpEndpoints();

var verifier = builder
    .AddService<Projects.FactoryStream_Verifier>("verifier", port: 8000, replicas: 2)
    .WithServers(migrations, kafka, factoryDb)
    .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/keys", "Signing keys"))
    .WithSecret("Verifier__AdminToken", adminToken);

// Which factories have a key; Ingest takes readings without it, so it waits for none.
ingest.WithReference(verifier);

var aggregator = builder
    .AddService<Projects.FactoryStream_Aggregator>("aggregator")
    .WithServers(migrations, kafka, factoryDb)
    .WithSecret("Aggregator__AdminToken", adminToken)
    .WithPurgeCommand(adminToken);

var dashboard = settings.Dashboard
    ? builder
        .AddService<Projects.FactoryStream_Dashboard>("dashboard", port: 8003)
        .WithServers(migrations, kafka, factoryDb)
        .WithAccess(adminToken, ingest, verifier, aggregator)
        .WithUrlForEndpoint("http", url => url.DisplayText = "Plant")
        .WithExternalHttpEndpoints()
    : null;

if (settings.Simulator)
{
    builder
        .AddService<Projects.FactoryStream_Simulator>("simulator")
        .WithArgs("simulate")
        .WaitFor(kafka)
        .WaitForCompletion(migrations)
        .WithReference(ingest)
        .WaitFor(ingest)
        .WithReference(verifier)
        .WaitFor(verifier)
        .WithUnitsToldTo(dashboard)
        .WithSecret("Simulator__AdminToken", adminToken)
        .WithSimulatorCommands();
}

builder.AddSupervision();
builder.AddHelmChart();
return await builder.RunAsync();
