using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Values that are given to the application from outside.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter: <c>Parameters:NAME</c> of the configuration.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, @default: null, secret));

    /// <summary>Adds a parameter with a value of its own, which the configuration may replace.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, string value, bool publishValueAsDefault = false, bool secret = false)
    {
        _ = publishValueAsDefault;
        return builder.AddResource(new ParameterResource(name, new FixedParameterDefault(value), secret));
    }

    /// <summary>Adds a parameter that is generated where the configuration does not give it, and kept: for its owner alone, in the data folder.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false)
    {
        _ = persist;
        return builder.AddResource(new ParameterResource(name, value, secret));
    }

    /// <summary>Says what the parameter is for.</summary>
    public static IResourceBuilder<ParameterResource> WithDescription(this IResourceBuilder<ParameterResource> builder, string description, bool enableMarkdown = false)
    {
        _ = enableMarkdown;
        builder.Resource.Description = description;
        return builder;
    }
}
