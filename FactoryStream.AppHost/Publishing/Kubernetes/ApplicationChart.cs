using FactoryStream.AppHost.Publishing.Helm;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>The app model as a Helm chart: what each resource becomes is said in the file named after it.</summary>
internal sealed class ApplicationChart
{
    private ApplicationChart(string name, DistributedApplicationModel model, IReadOnlyList<PublishedResource> projects, PublishOptions options, IConfiguration configuration)
    {
        Chart = new HelmChart(name, typeof(ApplicationChart).Assembly.GetName().Version!.ToString(3), options.Description);
        Projects = projects;
        Options = options;
        Consumers = projects
            .Select(project => (project.Name, Options: configuration.GetSection($"kafka:drain:{project.Name}").Get<ConsumerOptions>()))
            .Where(consumer => consumer.Options is { Group: not "", Topics: not [] })
            .ToDictionary(consumer => consumer.Name, consumer => consumer.Options!);
        Jobs = model.Resources
            .SelectMany(resource => resource.Annotations.OfType<WaitAnnotation>())
            .Where(wait => wait.WaitType == WaitType.WaitForCompletion)
            .Select(wait => wait.Resource.Name)
            .ToHashSet();
        Kafka = model.Resources.OfType<KafkaServerResource>().SingleOrDefault();
        Postgres = model.Resources.OfType<PostgresServerResource>().SingleOrDefault();
    }

    public HelmChart Chart { get; }

    public IReadOnlyList<PublishedResource> Projects { get; }

    public PublishOptions Options { get; }

    /// <summary>The services that are a consumer group, by name.</summary>
    public IReadOnlyDictionary<string, ConsumerOptions> Consumers { get; }

    /// <summary>The services that others wait for until they are done.</summary>
    public IReadOnlySet<string> Jobs { get; }

    public KafkaServerResource? Kafka { get; }

    public PostgresServerResource? Postgres { get; }

    /// <summary>The chart of a model.</summary>
    public static async Task<HelmChart> OfAsync(DistributedApplicationModel model, IConfiguration configuration, string name, CancellationToken cancellationToken)
    {
        var execution = new DistributedApplicationExecutionContext(DistributedApplicationOperation.Publish);
        var projects = new List<PublishedResource>();
        foreach (var resource in model.Resources.OfType<ProjectResource>())
            projects.Add(await PublishedResource.OfAsync(resource, execution, cancellationToken));
        if (model.Resources.FirstOrDefault(resource => resource is not (ProjectResource or ParameterResource or KafkaServerResource or PostgresServerResource or PostgresDatabaseResource)) is { } unknown)
            throw new DistributedApplicationException($"'{unknown.Name}' is a {unknown.GetType().Name}, which has no place in a chart.");

        var options = configuration.GetSection(PublishOptions.Section).Get<PublishOptions>() ?? new PublishOptions();
        var application = new ApplicationChart(name, model, projects, options, configuration);
        application.DeclareCommonValues();
        foreach (var parameter in model.Resources.OfType<ParameterResource>().Where(parameter => parameter.Secret))
            ParameterObjects.Add(application, parameter);
        if (application.Kafka is not null)
            KafkaObjects.Add(application, application.Kafka);
        if (application.Postgres is not null)
            PostgresObjects.Add(application, application.Postgres, model.Resources.OfType<PostgresDatabaseResource>().Where(database => database.Parent == application.Postgres));
        foreach (var project in projects)
            ServiceObjects.Add(application, project);
        NetworkPolicyObjects.Add(application);
        application.AddNotes();
        return application.Chart;
    }

    /// <summary>The labels of a component's objects; also what selects its pods.</summary>
    public Dictionary<string, string> Labels(string component) => new()
    {
        ["app.kubernetes.io/name"] = Chart.Tokens.Text(HelmString.Of(".Chart.Name")),
        ["app.kubernetes.io/instance"] = Chart.Tokens.Text(HelmString.Of(".Release.Name")),
        ["app.kubernetes.io/component"] = component,
    };

    /// <summary>Whether a resource is installed, as a Go template pipeline; null if it always is.</summary>
    public string? Condition(string resource)
    {
        if (resource == Kafka?.Name)
            return Chart.Values.Flag($"{HelmNames.Key(resource)}.enabled", true, "Whether the chart brings a Kafka of one node; false for a Kafka of your own (external).");
        if (resource == Postgres?.Name)
            return Chart.Values.Flag($"{HelmNames.Key(resource)}.enabled", true, "Whether the chart brings a PostgreSQL; false for a server of your own (external).");
        return Options.Of(resource).Enabled ? null : Chart.Values.Flag($"{HelmNames.Key(resource)}.enabled", false, $"Whether {resource} is installed.");
    }

    private void DeclareCommonValues()
    {
        var values = Chart.Values;
        values.Describe("image", "The images of FactoryStream's own services.");
        values.Text("image.registry", "", "Registry (and path) that the services' repositories are in, for instance registry.example.com/plant.");
        values.Text("image.tag", "", "Tag of the services' images; the chart's appVersion if empty.");
        values.Text("image.pullPolicy", "IfNotPresent", "When the services' images are pulled.");
        values.List("image.pullSecrets", "Secrets for pulling all images: [{name: ...}].");
        values.Describe("otlp", "Where traces, metrics and logs go.");
        values.Text("otlp.endpoint", "", "OTLP endpoint of a collector or an Aspire dashboard, for instance http://collector.monitoring:4317; nothing is exported if empty.");
        values.Text("otlp.protocol", "grpc", "OTLP protocol: grpc or http/protobuf.");
        values.Text("otlp.headersSecret", "", "Secret whose key OTEL_EXPORTER_OTLP_HEADERS holds the headers that the endpoint wants, for instance an API key.");
        values.Describe("ingress", "How machines and people reach the cluster.");
        values.Flag("ingress.enabled", false, "Whether Ingress objects are made for the external services.");
        values.Text("ingress.className", "", "Ingress class; the cluster's default if empty.");
        values.Map("ingress.annotations", [], "Annotations of the Ingress objects.");
        values.List("ingress.tls", "The tls list of the Ingress objects: [{hosts: [...], secretName: ...}].");
        values.Describe("networkPolicy", "Who may talk to whom.");
        values.Flag("networkPolicy.enabled", true, "Whether pods accept connections only from those that the application lets them have.");
        values.Text("networkPolicy.kedaNamespace", "keda", "Namespace of KEDA, which asks Kafka for the lag.");
        values.Describe("parameters", "Secrets. No secret is a value: each is in a Secret of the cluster.");
        values.Map("nodeSelector", [], "Labels of the nodes that pods may run on.");
        values.List("tolerations", "Taints that pods tolerate.");
    }

    private void AddNotes()
    {
        var lines = new List<string> { "{{ .Chart.Name }} {{ .Chart.AppVersion }} is installed in {{ .Release.Namespace }}.", "" };
        foreach (var project in Projects.Where(project => project.Endpoints.Any(endpoint => endpoint.IsExternal)))
        {
            lines.Add("{{- if .Values.ingress.enabled }}");
            lines.Add($"{project.Name}: http{{{{ if .Values.ingress.tls }}}}s{{{{ end }}}}://{{{{ .Values.ingress.hosts.{HelmNames.Key(project.Name)} }}}}");
            lines.Add("{{- else }}");
            var port = ServiceObjects.Port(project);
            lines.Add($"{project.Name}: kubectl --namespace {{{{ .Release.Namespace }}}} port-forward service/{HelmNames.Service(project.Name)} {port}:{port}");
            lines.Add("{{- end }}");
        }
        lines.Add("");
        lines.Add("Ready when: kubectl --namespace {{ .Release.Namespace }} get pods --watch");
        Chart.AddNotes(lines);
    }
}

/// <summary>What a resource's objects and values are called; the object names are those of Aspire's own publisher.</summary>
internal static class HelmNames
{
    public static string Service(string resource) => $"{resource}-service";

    public static string Config(string resource) => $"{resource}-config";

    public static string Secrets(string resource) => $"{resource}-secrets";

    public static string Account(string resource) => $"{resource}-account";

    /// <summary>A resource's name as a key of values.yaml: <c>admin-token</c> is <c>adminToken</c>, since a Go template reads no dashes.</summary>
    public static string Key(string resource) =>
        string.Concat(resource.Split('-').Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>A resource's name as an environment variable.</summary>
    public static string Variable(string resource) => resource.Replace('-', '_').ToUpperInvariant();
}
