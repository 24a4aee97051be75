namespace FactoryStream.AppHost.Publishing;

/// <summary>What the published files say beyond the app model: section <c>publish</c> of the AppHost's settings.</summary>
internal sealed class PublishOptions
{
    public const string Section = "publish";

    /// <summary>The options of each resource, by its name.</summary>
    public Dictionary<string, ServicePublishOptions> Services { get; set; } = [];

    public ServicePublishOptions Of(string resource) => Services.GetValueOrDefault(resource) ?? new ServicePublishOptions();
}

/// <summary>Defaults of a service's values.</summary>
internal sealed class ServicePublishOptions
{
    /// <summary>Whether it is installed unless the user says otherwise.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Processor it is sure of, in cores; 250m.</summary>
    public string Cpu { get; set; } = "250m";

    /// <summary>Processor it may use, in cores; 2.</summary>
    public string CpuLimit { get; set; } = "2";

    /// <summary>Memory it is sure of; 256Mi.</summary>
    public string Memory { get; set; } = "256Mi";

    /// <summary>Memory above which it is killed; 512Mi.</summary>
    public string MemoryLimit { get; set; } = "512Mi";

    /// <summary>Most pods where it is scaled by load; 6.</summary>
    public int MaxReplicas { get; set; } = 6;
}

/// <summary>Whose consumer group a service is: section <c>kafka:drain:NAME</c>, which the AppHost drains by when it stops.</summary>
internal sealed class ConsumerOptions
{
    public string Group { get; set; } = "";

    public string[] Topics { get; set; } = [];
}
