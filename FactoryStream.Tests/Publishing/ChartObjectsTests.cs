using k8s;
using k8s.Models;

namespace FactoryStream.Tests.Publishing;

/// <summary>What the rendered objects are: they may do only what they must, and keep what they must.</summary>
public sealed class ChartObjectsTests
{
    public static TheoryData<string> Installations => ChartTests.Installations;

    [SkippableTheory]
    [MemberData(nameof(Installations))]
    public async Task Every_container_has_probes_resources_and_no_privilege(string installation)
    {
        var objects = await RenderedChart.RenderAsync(installation);
        Assert.NotEmpty(RenderedChart.Pods(objects));
        Assert.All(
            RenderedChart.Pods(objects),
            workload =>
            {
                var pod = workload.Pod;
                Assert.False(pod.AutomountServiceAccountToken);
                Assert.False(pod.EnableServiceLinks);
                Assert.True(pod.SecurityContext.RunAsNonRoot);
                Assert.True(pod.SecurityContext.RunAsUser > 0);
                Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
                var container = Assert.Single(pod.Containers);
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
                Assert.Equal(["cpu", "memory"], container.Resources.Requests.Keys.Order());
                Assert.Equal(["cpu", "memory"], container.Resources.Limits.Keys.Order());
                Assert.Contains(container.VolumeMounts, mount => mount.MountPath == "/tmp");
                Assert.DoesNotMatch(":latest$|:$", container.Image);
                var isJob = workload.Object is V1Job;
                Assert.Equal(isJob, container.LivenessProbe is null);
                Assert.Equal(isJob, container.ReadinessProbe is null);
                Assert.Equal(isJob, container.StartupProbe is null);
                if (container.ReadinessProbe?.HttpGet is { } ready)
                    Assert.Equal(
                        ("/health", "/alive", "/alive"),
                        (ready.Path, container.LivenessProbe!.HttpGet.Path, container.StartupProbe!.HttpGet.Path)
                    );
            }
        );
    }

    [SkippableFact]
    public async Task Names_are_labels_that_a_host_may_have()
    {
        var objects = await RenderedChart.RenderAsync("everything");
        Assert.All(objects, item => Assert.Matches("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", item.Metadata.Name));
        Assert.Equal(objects.Count, objects.Select(item => (item.Kind, item.Metadata.Name)).Distinct().Count());
    }

    [SkippableFact]
    public async Task Data_is_on_claims_and_a_secret_survives_an_uninstall()
    {
        var objects = await RenderedChart.RenderAsync("default");
        Assert.Equal(
            [("kafka-data", "/var/lib/kafka/data"), ("postgres-data", "/var/lib/postgresql")],
            objects
                .OfType<V1StatefulSet>()
                .Select(set =>
                {
                    var claim = Assert.Single(set.Spec.VolumeClaimTemplates).Metadata.Name;
                    return (claim, set.Spec.Template.Spec.Containers[0].VolumeMounts.Single(mount => mount.Name == claim).MountPath);
                })
                .Order()
        );
        Assert.Equal(
            ["admin-token-secrets", "postgres-password-secrets", "read-token-secrets"],
            objects.OfType<V1Secret>().Select(secret => secret.Metadata.Name).Order()
        );
        Assert.All(
            objects.OfType<V1Secret>(),
            secret =>
            {
                Assert.Equal("keep", secret.Metadata.Annotations["helm.sh/resource-policy"]);
                Assert.Matches("^[A-Za-z0-9]{22,}$", Assert.Single(secret.StringData).Value);
            }
        );
    }

    [SkippableFact]
    public async Task A_deployment_has_at_most_one_autoscaler()
    {
        var byProcessor = await RenderedChart.RenderAsync("default");
        Assert.Equal(
            ["aggregator-deployment", "verifier-deployment"],
            byProcessor.OfType<V2HorizontalPodAutoscaler>().Select(scaler => scaler.Spec.ScaleTargetRef.Name).Order()
        );
        Assert.Equal([("aggregator", null), ("dashboard", 1), ("ingest", 1), ("verifier", null)], Replicas(byProcessor));
        var byLag = await RenderedChart.RenderAsync("everything");
        Assert.Empty(byLag.OfType<V2HorizontalPodAutoscaler>());
        var byNobody = await RenderedChart.RenderAsync("nothing scaled");
        Assert.Empty(byNobody.OfType<V2HorizontalPodAutoscaler>());
        Assert.Equal([("aggregator", 1), ("dashboard", 1), ("ingest", 1), ("verifier", 2)], Replicas(byNobody));

        static IEnumerable<(string, int?)> Replicas(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects) =>
            objects
                .OfType<V1Deployment>()
                .Select(deployment => (deployment.Metadata.Labels["app.kubernetes.io/component"], deployment.Spec.Replicas))
                .Order();
    }

    [SkippableFact]
    public async Task A_changed_setting_replaces_the_pods()
    {
        static string Checksum(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects) =>
            objects
                .OfType<V1Deployment>()
                .Single(deployment => deployment.Metadata.Name == "ingest-deployment")
                .Spec.Template.Metadata.Annotations["checksum/config"];
        Assert.NotEqual(Checksum(await RenderedChart.RenderAsync("default")), Checksum(await RenderedChart.RenderAsync("everything")));
    }
}
