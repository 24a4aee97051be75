using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>
/// Services that are a consumer group are scaled by processor load, or, where KEDA is installed, by how far the group is behind; the mode is a
/// value. More pods than partitions would have nothing to do.
/// </summary>
internal static class AutoscalingObjects
{
    private static readonly string[] Modes = ["cpu", "lag", "none"];

    public static void Add(ApplicationChart application, PublishedResource service, string? condition)
    {
        if (!application.Consumers.TryGetValue(service.Name, out var consumer))
            return;
        var chart = application.Chart;
        var values = chart.Values;
        var key = $"{HelmNames.Key(service.Name)}.autoscaling";
        var mode = Mode(application, service);
        var least = Replicas(application, service);
        // Whoever asks for more pods than the most gets them.
        var most = $"max {least} " + values.Number($"{key}.maxReplicas", application.Options.Of(service.Name).MaxReplicas, "Most pods; more than the topics have partitions do nothing.");
        var processor = values.Number($"{key}.cpuPercent", 70, "Processor load, in percent of the requested, above which pods are added.");
        var lag = values.Number($"{key}.lagThreshold", 5000, "Messages that a pod may be behind before another is added (mode lag).");
        var target = $"{service.Name}-deployment";
        string When(string wanted) => condition is null ? $"eq {mode} \"{wanted}\"" : $"and {condition} (eq {mode} \"{wanted}\")";

        chart.Add(service.Name, "horizontalpodautoscaler", new V2HorizontalPodAutoscaler
        {
            ApiVersion = "autoscaling/v2",
            Kind = "HorizontalPodAutoscaler",
            Metadata = new V1ObjectMeta { Name = $"{service.Name}-hpa", Labels = application.Labels(service.Name) },
            Spec = new V2HorizontalPodAutoscalerSpec
            {
                ScaleTargetRef = new V2CrossVersionObjectReference { ApiVersion = "apps/v1", Kind = "Deployment", Name = target },
                MinReplicas = chart.Tokens.Number(least),
                MaxReplicas = chart.Tokens.Number(most),
                Metrics =
                [
                    new V2MetricSpec
                    {
                        Type = "Resource",
                        Resource = new V2ResourceMetricSource
                        {
                            Name = "cpu",
                            Target = new V2MetricTarget { Type = "Utilization", AverageUtilization = chart.Tokens.Number(processor) },
                        },
                    },
                ],
                // Every change of a group's members moves partitions: rise fast, fall slowly.
                Behavior = new V2HorizontalPodAutoscalerBehavior { ScaleDown = new V2HPAScalingRules { StabilizationWindowSeconds = 300 } },
            },
        }, When("cpu"));

        if (application.Kafka is null)
            return;
        chart.Add(service.Name, "scaledobject", new ScaledObject(
            "keda.sh/v1alpha1",
            "ScaledObject",
            new V1ObjectMeta { Name = $"{service.Name}-scaledobject", Labels = application.Labels(service.Name) },
            new ScaledObjectSpec(
                new ScaleTarget("apps/v1", "Deployment", target),
                chart.Tokens.Number(least),
                chart.Tokens.Number(most),
                CooldownPeriod: 300,
                [
                    .. consumer.Topics.Select(topic => new ScaleTrigger("kafka", null, new Dictionary<string, string>
                    {
                        ["bootstrapServers"] = chart.Tokens.Text(KafkaObjects.ConnectionString(application, application.Kafka)),
                        ["consumerGroup"] = consumer.Group,
                        ["topic"] = topic,
                        ["lagThreshold"] = chart.Tokens.Text(HelmString.Of($"{lag} | int")),
                        // A group that has not committed yet is behind by all there is.
                        ["offsetResetPolicy"] = "earliest",
                        ["scaleToZeroOnInvalidOffset"] = "false",
                    }, new TriggerAuthentication(KafkaObjects.KedaAuthentication(application, application.Kafka)))),
                    new ScaleTrigger("cpu", "Utilization", new Dictionary<string, string> { ["value"] = chart.Tokens.Text(HelmString.Of($"{processor} | int")) }),
                ])), When("lag"));
    }

    /// <summary>How many pods there are, or at least are, as a Go template pipeline.</summary>
    public static string Replicas(ApplicationChart application, PublishedResource service) =>
        application.Chart.Values.Number(
            $"{HelmNames.Key(service.Name)}.replicas", Aspire.Hosting.ApplicationModel.ResourceExtensions.GetReplicaCount(service.Resource),
            application.Consumers.ContainsKey(service.Name) ? "Pods; the least number of them where they are scaled by load." : "Pods.");

    /// <summary>The condition under which nothing scales the service; null if nothing ever does.</summary>
    public static string? FixedCount(ApplicationChart application, PublishedResource service) =>
        application.Consumers.ContainsKey(service.Name) ? $"eq {Mode(application, service)} \"none\"" : null;

    private static string Mode(ApplicationChart application, PublishedResource service) =>
        application.Chart.Values.Choice(
            $"{HelmNames.Key(service.Name)}.autoscaling.mode", Modes,
            "What adds and removes pods: processor load (needs the metrics server), consumer lag and processor load (needs KEDA), or nobody.");

    // KEDA's own kind, of which the Kubernetes client has no model.
    private sealed record ScaledObject(string ApiVersion, string Kind, V1ObjectMeta Metadata, ScaledObjectSpec Spec);

    private sealed record ScaledObjectSpec(ScaleTarget ScaleTargetRef, int MinReplicaCount, int MaxReplicaCount, int CooldownPeriod, IReadOnlyList<ScaleTrigger> Triggers);

    private sealed record ScaleTarget(string ApiVersion, string Kind, string Name);

    private sealed record ScaleTrigger(string Type, string? MetricType, IReadOnlyDictionary<string, string> Metadata, TriggerAuthentication? AuthenticationRef = null);

    private sealed record TriggerAuthentication(string Name);
}
