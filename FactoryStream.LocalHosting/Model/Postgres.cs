using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Postgres;
using FactoryStream.LocalHosting.Servers;

namespace Aspire.Hosting;

/// <summary>PostgreSQL as a resource.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>Adds a PostgreSQL server: of the binaries found on the machine, in the data folder; none if every database of it is given from outside.</summary>
    public static IResourceBuilder<PostgresServerResource> AddPostgres(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource>? userName = null, IResourceBuilder<ParameterResource>? password = null, int? port = null)
    {
        if (userName is not null)
            throw new NotSupportedException("The local way's server has the user 'postgres'.");
        var secret = password ?? builder.AddParameter($"{name}-password", new GenerateParameterDefault { Special = false }, secret: true, persist: true);
        var resource = new PostgresServerResource(name, secret.Resource);
        return LocalPostgres.Describe(builder.AddResource(resource).WithEndpoint(port: port, scheme: "tcp", name: PostgresServerResource.PrimaryEndpointName), builder)
            .WithIconName("DatabaseMultiple");
    }

    /// <summary>Adds a database of the server, created if it is not there; or the one of <c>ConnectionStrings:NAME</c>.</summary>
    public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
    {
        var resource = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
        builder.Resource.Add(resource);
        return LocalPostgres.Describe(builder.ApplicationBuilder.AddResource(resource), builder.ApplicationBuilder).WithIconName("Database");
    }

    /// <summary>Its data is kept. The local way keeps it in the data folder, whatever the volume's name.</summary>
    public static IResourceBuilder<PostgresServerResource> WithDataVolume(this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false)
    {
        _ = (name, isReadOnly);
        return builder;
    }

    /// <summary>A page to look into the database: a container, which the local way does without.</summary>
    public static IResourceBuilder<PostgresServerResource> WithPgWeb(
        this IResourceBuilder<PostgresServerResource> builder, Action<IResourceBuilder<PgWebContainerResource>>? configureContainer = null, string? containerName = null)
    {
        _ = (configureContainer, containerName);
        return builder;
    }

    /// <summary>A page to look into the database: a container, which the local way does without.</summary>
    public static IResourceBuilder<T> WithPgAdmin<T>(
        this IResourceBuilder<T> builder, Action<IResourceBuilder<PgAdminContainerResource>>? configureContainer = null, string? containerName = null) where T : PostgresServerResource
    {
        _ = (configureContainer, containerName);
        return builder;
    }

    /// <summary>The page's port.</summary>
    public static IResourceBuilder<PgWebContainerResource> WithHostPort(this IResourceBuilder<PgWebContainerResource> builder, int? port)
    {
        _ = port;
        return builder;
    }

    /// <summary>The page's port.</summary>
    public static IResourceBuilder<PgAdminContainerResource> WithHostPort(this IResourceBuilder<PgAdminContainerResource> builder, int? port)
    {
        _ = port;
        return builder;
    }
}
