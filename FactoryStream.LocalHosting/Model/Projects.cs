using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Supervision;

namespace Aspire.Hosting;

/// <summary>.NET projects as resources.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project of the AppHost's references.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name) where TProject : IProjectMetadata, new() =>
        builder.AddProject<TProject>(name, launchProfileName: null);

    /// <summary>Adds a project of the AppHost's references. The local way uses no launch profiles: all that a service is told stands in the AppHost.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, string? launchProfileName) where TProject : IProjectMetadata, new()
    {
        if (launchProfileName is not null)
            throw new NotSupportedException("The local way uses no launch profiles.");
        var metadata = new TProject();
        return builder.AddResource(new ProjectResource(name))
            .WithAnnotation<IProjectMetadata>(metadata)
            .WithAnnotation(new LaunchAnnotation("Project", (context, cancellationToken) => ProgramLaunch.ProjectAsync(context, metadata, cancellationToken)));
    }

    /// <summary>Runs several of it behind one endpoint.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas));
    }
}

/// <summary>Programs as resources.</summary>
public static class ExecutableResourceBuilderExtensions
{
    /// <summary>Adds a program.</summary>
    public static IResourceBuilder<ExecutableResource> AddExecutable(this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args)
    {
        var resource = new ExecutableResource(name, command, Path.GetFullPath(workingDirectory, builder.AppHostDirectory));
        return builder.AddResource(resource)
            .WithAnnotation(new LaunchAnnotation("Executable", (context, cancellationToken) => ProgramLaunch.ExecutableAsync(context, resource, cancellationToken)))
            .WithArgs(args ?? []);
    }
}
