using System.Text.Json.Nodes;
using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>What all pods have in common: they run as nobody in particular, may do nothing in particular and write nowhere but where they are told.</summary>
internal static class Pods
{
    public static V1PodSecurityContext PodSecurity(long user, bool ownsVolumes = false) => new()
    {
        RunAsNonRoot = true,
        RunAsUser = user,
        RunAsGroup = user,
        FsGroup = ownsVolumes ? user : null,
        // Otherwise every start walks through the whole volume.
        FsGroupChangePolicy = ownsVolumes ? "OnRootMismatch" : null,
        SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" },
    };

    public static V1SecurityContext ContainerSecurity() => new()
    {
        AllowPrivilegeEscalation = false,
        ReadOnlyRootFilesystem = true,
        Capabilities = new V1Capabilities { Drop = ["ALL"] },
    };

    /// <summary>Requests and limits, from values.</summary>
    public static V1ResourceRequirements Resources(HelmChart chart, string key, string cpu, string cpuLimit, string memory, string memoryLimit)
    {
        JsonObject Quantities(string processor, string bytes) => new() { ["cpu"] = processor, ["memory"] = bytes };
        return new V1ResourceRequirements
        {
            Requests = chart.Tokens.Quantities(chart.Values.Map($"{key}.resources.requests", Quantities(cpu, memory), "What each pod is sure of.")),
            Limits = chart.Tokens.Quantities(chart.Values.Map($"{key}.resources.limits", Quantities(cpuLimit, memoryLimit), "What no pod goes beyond.")),
        };
    }

    /// <summary>Trees of a pod's spec that come from values; the path is that of the spec.</summary>
    public static Dictionary<string, string> CommonValues(HelmChart chart, string path) => new()
    {
        [$"{path}.imagePullSecrets"] = chart.Tokens.Tree(".Values.image.pullSecrets"),
        [$"{path}.nodeSelector"] = chart.Tokens.Tree(".Values.nodeSelector"),
        [$"{path}.tolerations"] = chart.Tokens.Tree(".Values.tolerations"),
    };

    public static V1Volume Scratch(string name, string size, bool inMemory = false) => new()
    {
        Name = name,
        EmptyDir = new V1EmptyDirVolumeSource { SizeLimit = new ResourceQuantity(size), Medium = inMemory ? "Memory" : null },
    };

    /// <summary>A server's image, from values.</summary>
    public static HelmString Image(HelmChart chart, string key, string repository, string tag) =>
        chart.Values.Text($"{key}.image.repository", repository, "The server's image.") + ":" + chart.Values.Text($"{key}.image.tag", tag, "Its version, pinned.");

    /// <summary>A claim for a server's data.</summary>
    public static (V1PersistentVolumeClaim Claim, Dictionary<string, string> Values) Claim(HelmChart chart, string key, string name, string size) =>
    (
        new V1PersistentVolumeClaim
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1PersistentVolumeClaimSpec
            {
                AccessModes = ["ReadWriteOnce"],
                StorageClassName = chart.Tokens.TextIf(
                    $".Values.{key}.storage.className", chart.Values.Text($"{key}.storage.className", "", "Storage class of the claim; the cluster's default if empty.")),
            },
        },
        new Dictionary<string, string>
        {
            ["spec.volumeClaimTemplates.0.spec.resources.requests.storage"] =
                chart.Tokens.Text(chart.Values.Text($"{key}.storage.size", size, "Size of the claim that holds its data. The claim outlives an uninstall.")),
        }
    );
}
