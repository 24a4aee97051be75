namespace FactoryStream.Tests.Publishing;

/// <summary>Ways to install the chart: Helm's arguments by name.</summary>
internal static class ChartInstallations
{
    public static IReadOnlyDictionary<string, string[]> All { get; } =
        new Dictionary<string, string[]>
        {
            ["default"] = [],
            ["external"] =
            [
                "--set",
                "kafka.enabled=false,kafka.external.bootstrapServers=plant-kafka-bootstrap.kafka:9092",
                "--set",
                "postgres.enabled=false,postgres.external.host=plant-db-rw.databases",
                "--set",
                "postgres.external.existingSecret=plant-db-app,postgres.external.username=app",
                "--set",
                "parameters.adminToken.existingSecret=plant-token,parameters.adminToken.existingSecretKey=token",
                "--set",
                "parameters.readToken.existingSecret=plant-token,parameters.readToken.existingSecretKey=read",
                "--set",
                "postgres.external.options=SSL Mode=VerifyFull",
            ],
            ["everything"] =
            [
                "--set",
                "simulator.enabled=true,ingress.enabled=true,ingress.className=nginx",
                "--set",
                "image.registry=registry.example.com/plant,image.tag=1.2.3",
                "--set",
                "verifier.autoscaling.mode=lag,aggregator.autoscaling.mode=lag",
                "--set",
                "kafka.storage.className=fast,postgres.storage.className=fast",
                "--set",
                "otlp.endpoint=http://collector.monitoring:4317,otlp.headersSecret=otlp-key,nodeSelector.disk=ssd",
                "--set-json",
                "ingress.annotations={\"nginx.ingress.kubernetes.io/proxy-body-size\":\"0\"}",
                "--set-json",
                "ingress.tls=[{\"hosts\":[\"ingest.example.com\"],\"secretName\":\"tls\"}]",
                "--set-json",
                "tolerations=[{\"key\":\"plant\",\"operator\":\"Exists\"}]",
                "--set-json",
                "image.pullSecrets=[{\"name\":\"pull\"}]",
                "--set-json",
                "ingest.config={\"Ingest__MaxBodyBytes\":1000000,\"Ingest__Sources__0\":\"http://factory.example.com/stream\"}",
            ],
            ["nothing scaled"] = ["--set", "verifier.autoscaling.mode=none,aggregator.autoscaling.mode=none,networkPolicy.enabled=false"],
        };
}
