using System.Globalization;
using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>
/// A secret parameter: never a value of the chart. It is in a Secret of the user's, or generated at the first installation and read back from
/// the cluster at every later one.
/// </summary>
internal static class ParameterObjects
{
    public static void Add(ApplicationChart application, ParameterResource parameter)
    {
        if (parameter.Default is not GenerateParameterDefault generated)
            return;
        var chart = application.Chart;
        var name = HelmNames.Secrets(parameter.Name);
        var length = Math.Max(generated.MinLength, 22);
        var alphabet = generated switch
        {
            { Lower: false, Upper: false } => "randNumeric",
            { Numeric: false } => "randAlpha",
            _ => "randAlphaNum",
        };
        var existing = $"dig \"data\" \"{parameter.Name}\" \"\" (lookup \"v1\" \"Secret\" .Release.Namespace \"{name}\") | b64dec";
        var condition = $"not {Existing(application, parameter)}";
        if (application.Postgres?.PasswordParameter == parameter)
            condition = $"and {application.Condition(application.Postgres.Name)} ({condition})";
        chart.Add(parameter.Name, "secrets", new V1Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new V1ObjectMeta
            {
                Name = name,
                Labels = application.Labels(parameter.Name),
                // Whoever reinstalls finds the data of before, and must find what opens it.
                Annotations = new Dictionary<string, string> { ["helm.sh/resource-policy"] = "keep" },
            },
            Type = "Opaque",
            StringData = new Dictionary<string, string>
            {
                [parameter.Name] = chart.Tokens.Text(HelmString.Of($"default ({string.Create(CultureInfo.InvariantCulture, $"{alphabet} {length}")}) ({existing})")),
            },
        }, condition);
    }

    /// <summary>Where a pod reads the parameter.</summary>
    public static V1EnvVarSource Source(ApplicationChart application, ParameterResource parameter)
    {
        var chart = application.Chart;
        var name = parameter.Default is GenerateParameterDefault
            ? HelmString.Choose(Existing(application, parameter), HelmString.Of(Existing(application, parameter)), HelmNames.Secrets(parameter.Name))
            : HelmString.Required(Existing(application, parameter), $"parameters.{HelmNames.Key(parameter.Name)}.existingSecret is missing");
        var key = chart.Values.Text(
            $"parameters.{HelmNames.Key(parameter.Name)}.existingSecretKey", parameter.Name, "The key in that Secret.");
        var otherKey = HelmString.Choose(Existing(application, parameter), key, parameter.Name);
        if (application.Postgres?.PasswordParameter == parameter)
        {
            var own = application.Condition(application.Postgres.Name)!;
            var server = HelmNames.Key(application.Postgres.Name);
            chart.Values.Text($"{server}.external.existingSecret", "", "Secret that holds the password of the external server's user.");
            name = HelmString.Choose(own, name, HelmString.Required($".Values.{server}.external.existingSecret", $"{server}.external.existingSecret is missing"));
            otherKey = HelmString.Choose(own, otherKey, chart.Values.Text($"{server}.external.passwordKey", "password", "The key in that Secret."));
        }
        return new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = chart.Tokens.Text(name), Key = chart.Tokens.Text(otherKey) } };
    }

    private static string Existing(ApplicationChart application, ParameterResource parameter)
    {
        var path = $"parameters.{HelmNames.Key(parameter.Name)}.existingSecret";
        application.Chart.Values.Text(path, "", $"Secret of yours that holds {parameter.Name}{(parameter.Default is GenerateParameterDefault ? "; one is generated, and kept, if empty" : "")}.");
        return $".Values.{path}";
    }
}
