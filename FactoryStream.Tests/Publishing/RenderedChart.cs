using k8s;
using k8s.Models;

namespace FactoryStream.Tests.Publishing;

/// <summary>The objects that Helm makes of the chart for an installation.</summary>
internal static class RenderedChart
{
    public static async Task<IReadOnlyList<IKubernetesObject<V1ObjectMeta>>> RenderAsync(string installation)
    {
        var yaml = await Tool.HelmAsync([
            "template",
            "fs",
            Path.Combine(SharedData.Root, "deploy", "chart"),
            .. ChartInstallations.All[installation],
        ]);
        // The Kubernetes client has no model of KEDA's kind.
        var documents = yaml.Split("\n---\n").Where(document => !document.Contains("kind: ScaledObject", StringComparison.Ordinal));
        return [.. KubernetesYaml.LoadAllFromString(string.Join("\n---\n", documents)).Cast<IKubernetesObject<V1ObjectMeta>>()];
    }

    public static IReadOnlyList<Workload> Pods(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects) =>
        [
            .. objects
                .Select(item =>
                    item switch
                    {
                        V1Deployment deployment => new Workload(
                            item,
                            deployment.Spec.Template.Metadata.Labels,
                            deployment.Spec.Template.Spec
                        ),
                        V1StatefulSet set => new Workload(item, set.Spec.Template.Metadata.Labels, set.Spec.Template.Spec),
                        V1Job job => new Workload(item, job.Spec.Template.Metadata.Labels, job.Spec.Template.Spec),
                        _ => null,
                    }
                )
                .OfType<Workload>(),
        ];

    /// <summary>What a service's process finds in its environment; a secret as NAME/KEY.</summary>
    public static Dictionary<string, string> EnvironmentOf(IReadOnlyList<IKubernetesObject<V1ObjectMeta>> objects, string service)
    {
        var container = Pods(objects).Single(workload => workload.Labels["app.kubernetes.io/component"] == service).Pod.Containers[0];
        var environment = new Dictionary<string, string>();
        foreach (var source in container.EnvFrom.Where(source => source.ConfigMapRef is not null))
        {
            foreach (var (name, value) in objects.OfType<V1ConfigMap>().Single(map => map.Metadata.Name == source.ConfigMapRef.Name).Data)
                environment.Add(name, value);
        }
        foreach (var variable in container.Env ?? [])
            environment.Add(
                variable.Name,
                variable.Value
                    ?? (
                        variable.ValueFrom.SecretKeyRef is { } secret
                            ? $"{secret.Name}/{secret.Key}"
                            : variable.ValueFrom.FieldRef.FieldPath
                    )
            );
        return environment;
    }

    public sealed record Workload(IKubernetesObject<V1ObjectMeta> Object, IDictionary<string, string> Labels, V1PodSpec Pod);
}
