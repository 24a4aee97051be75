namespace FactoryStream.AppHost.Hosting;

/// <summary>What the AppHost prints for <c>--help</c>.</summary>
internal static class Usage
{
    public const string Text = """
        FactoryStream: takes in signed sensor readings, verifies and aggregates them, stores them, shows them.

        Usage:
          dotnet run --project FactoryStream.AppHost [-- settings]
          dotnet run --project FactoryStream.AppHost -- --operation publish --step publish --output-path DIR

        Settings (also in the environment, with __ for :, or in FactoryStream.AppHost/appsettings.json):
          --simulator true|false          Ten simulated factories send readings [true]
          --dashboard true|false          FactoryStream's own Dashboard [true]
          --aspire-dashboard true|false   The Aspire dashboard [true]
          --containers true|false         Kafka and PostgreSQL in containers, or as processes [whether an engine responds]
          --persistent true|false         Containers and their volumes outlive this program [true]
          --data DIR                      Where processes keep data and generated secrets [one of this user and checkout]
          --listen ADDRESS                Where Ingest, Verifier and Dashboard listen [localhost]
          --ingest:port N                 Likewise --verifier:port, --dashboard:port [8001, 8000, 8003]
          --ingest:replicas N             Likewise --verifier:replicas, --aggregator:replicas [1, 2, 1]
          --Parameters:admin-token TEXT   Who may enrol and revoke signing keys [generated]
          --kafka:in-memory true|false    The broker in memory even where KAFKA_HOME names an Apache Kafka [false]
          --kafka:partitions N            Partitions of topics that are created
          --postgres:bin DIR              PostgreSQL's binaries [searched for]

        Environment:
          KAFKA_HOME                      An unpacked Apache Kafka (needs Java 17)
          ConnectionStrings__kafka        A Kafka that is there already; Kafka__* says how to sign in
          ConnectionStrings__factorydb    A PostgreSQL that is there already
          OTEL_EXPORTER_OTLP_ENDPOINT     A collector for telemetry, in place of the Aspire dashboard
          Ingest__*, Verifier__*, ...     A service's own options

        Publishing writes a Helm chart into DIR; with --publisher manifest instead of --step publish it writes Aspire's manifest.
        Ctrl-C drains what was accepted and stops everything. More: docs/operations.md
        """;

    /// <summary>Whether the user asks what can be said here.</summary>
    public static bool IsAskedFor(string[] args) => args.Any(arg => arg is "--help" or "-h" or "-?");
}
