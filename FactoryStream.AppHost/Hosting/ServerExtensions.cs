using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Kafka and PostgreSQL: containers, processes, or servers of the user's own; whoever refers to them sees no difference.</summary>
internal static class ServerExtensions
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    /// <summary>A Kafka, of the kind that this machine has room for.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddKafkaServer(this IDistributedApplicationBuilder builder, string name)
    {
        var choice = ServerChoice.Of(builder, name);
        builder.Say($"{name}: {choice.Reason}");
        builder.BeforeStart(_ =>
        {
            choice.MustBePossible(name);
            return Task.CompletedTask;
        });
        if (choice.Kind == ServerKind.Process)
            return builder.AddKafkaProcess(name);
        if (choice.Kind == ServerKind.Own)
            return builder.AddConnectionString(name).WithKafkaHealthCheck();

        // Pinned before a volume is mounted; the versions are those that Aspire is tested with.
        var kafka = builder.AddKafka(name).WithImageTag("8.2.0");
        if (builder.ExecutionContext.IsPublishMode || builder.Settings().Persistent)
            kafka.WithDataVolume($"{name}-data");
        if (builder.ExecutionContext.IsRunMode && builder.Settings().Persistent)
            kafka.WithLifetime(ContainerLifetime.Persistent);
        if (builder.ExecutionContext.IsRunMode)
            kafka.WithKafkaUI(page =>
                page.WithImageTag("v1.5.0").WithUrlForEndpoint("http", url => url.DisplayText = "Topics and messages").WithExplicitStart()
            );
        return kafka;
    }

    /// <summary>A database on a PostgreSQL, of the kind that this machine has room for.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddPostgresDatabase(
        this IDistributedApplicationBuilder builder,
        string serverName,
        string name
    )
    {
        var choice = ServerChoice.Of(builder, name);
        builder.Say($"{serverName}: {choice.Reason}");
        builder.BeforeStart(_ =>
        {
            choice.MustBePossible(serverName);
            return Task.CompletedTask;
        });
        if (choice.Kind == ServerKind.Own)
            return builder.AddConnectionString(name).WithDatabaseHealthCheck();

        var password = builder.AddGeneratedSecret($"{serverName}-password");
        if (choice.Kind == ServerKind.Process)
            return builder.AddPostgresProcess(serverName, password).AddDatabase(name);

        var postgres = builder.AddPostgres(serverName, password: password).WithImageTag("18.3");
        if (builder.ExecutionContext.IsPublishMode || builder.Settings().Persistent)
            postgres.WithDataVolume($"{serverName}-data");
        if (builder.ExecutionContext.IsRunMode && builder.Settings().Persistent)
            postgres.WithLifetime(ContainerLifetime.Persistent);
        if (builder.ExecutionContext.IsRunMode)
            postgres.WithPgWeb(page =>
                page.WithImageTag("0.17.0").WithUrlForEndpoint("http", url => url.DisplayText = "Tables").WithExplicitStart()
            );
        return postgres.AddDatabase(name);
    }

    /// <summary>Adds a Kafka that is a process of this machine: of <c>KAFKA_HOME</c>, or in memory.</summary>
    public static IResourceBuilder<KafkaProcessResource> AddKafkaProcess(this IDistributedApplicationBuilder builder, string name)
    {
        var parts = builder.Parts();
        var home = KafkaProcess.HomeOf(name, builder.Configuration);
        var command = "java";
        if (home is null)
        {
            var project = new Projects.FactoryStream_InMemoryKafka().ProjectPath;
            command =
                Programs.BuiltFrom(project)
                ?? throw new DistributedApplicationException(
                    "The broker in memory is not built: dotnet build " + $"{Path.GetDirectoryName(project)}."
                );
        }
        var resource = new KafkaProcessResource(name, home, command, parts.Folder.Path);
        var kafka = new KafkaProcess(resource, parts.Folder, builder.Configuration);
        builder.BeforeStart(cancellationToken => kafka.PrepareAsync(parts.Ports, cancellationToken));
        return builder
            .AddResource(resource)
            .WithIconName("ArrowStepInRight")
            .WithEndpoint("tcp", endpoint => (endpoint.IsProxied, endpoint.UriScheme) = (false, "tcp"))
            .WithArgs(context =>
            {
                foreach (var argument in kafka.Arguments())
                    context.Args.Add(argument);
            })
            .WithEnvironment("DOTNET_ROOT", Programs.DotNetRoot)
            .OnBeforeResourceStarted((_, _, cancellationToken) => kafka.BeforeStartAsync(cancellationToken))
            .WithKafkaHealthCheck();
    }

    /// <summary>Adds a PostgreSQL server that is a process of this machine.</summary>
    public static IResourceBuilder<PostgresProcessResource> AddPostgresProcess(
        this IDistributedApplicationBuilder builder,
        string name,
        IResourceBuilder<ParameterResource> password
    )
    {
        if (!OperatingSystem.IsLinux())
            throw new DistributedApplicationException(
                $"{name} runs as a process on Linux alone. Elsewhere a container engine is " + "needed, or ConnectionStrings__factorydb."
            );
        var parts = builder.Parts();
        var resource = new PostgresProcessResource(name, password.Resource, parts.Folder.Path);
        var postgres = new PostgresProcess(resource, parts.Folder, builder.Configuration[$"{name}:bin"]);
        builder.BeforeStart(_ =>
        {
            postgres.Prepare(parts.Ports);
            return Task.CompletedTask;
        });
        return builder
            .AddResource(resource)
            .WithIconName("DatabaseMultiple")
            .WithEndpoint("tcp", endpoint => (endpoint.IsProxied, endpoint.UriScheme) = (false, "tcp"))
            .WithArgs(context =>
            {
                foreach (var argument in postgres.Arguments())
                    context.Args.Add(argument);
            })
            .OnBeforeResourceStarted(
                (_, before, cancellationToken) =>
                    postgres.BeforeStartAsync(
                        before.Services.GetRequiredService<ResourceLoggerService>().GetLogger(resource),
                        cancellationToken
                    )
            )
            .WithDatabaseHealthCheck(database: "postgres");
    }

    /// <summary>Adds a database of such a server, created if it is not there.</summary>
    public static IResourceBuilder<PostgresProcessDatabaseResource> AddDatabase(
        this IResourceBuilder<PostgresProcessResource> server,
        string name
    )
    {
        var database = new PostgresProcessDatabaseResource(name, server.Resource);
        // Aspire carries the state of a container on to what is within it, not that of a process.
        server.OnResourceReady(
            async (_, ready, cancellationToken) =>
            {
                var connection = await server.Resource.ConnectionStringExpression.GetValueAsync(cancellationToken) + ";Database=postgres";
                if (
                    await PostgresProcess.QueryAsync(connection, "SELECT 1 FROM pg_database WHERE datname = $1", cancellationToken, name)
                    is null
                )
                    await PostgresProcess.QueryAsync(
                        connection,
                        $"""CREATE DATABASE "{name.Replace("\"", "\"\"", StringComparison.Ordinal)}" """,
                        cancellationToken
                    );
                await PublishAsync(ready.Services, KnownResourceStates.Running);
            }
        );
        server.OnResourceStopped((_, stopped, _) => PublishAsync(stopped.Services, KnownResourceStates.Exited));
        return server
            .ApplicationBuilder.AddResource(database)
            .WithIconName("Database")
            .WithInitialState(
                new CustomResourceSnapshot
                {
                    ResourceType = "PostgresDatabase",
                    State = KnownResourceStates.NotStarted,
                    Properties = [],
                }
            )
            .WithDatabaseHealthCheck();

        Task PublishAsync(IServiceProvider services, string state) =>
            services
                .GetRequiredService<ResourceNotificationService>()
                .PublishUpdateAsync(database, snapshot => snapshot with { State = state });
    }

    /// <summary>It is ready when a broker responds.</summary>
    public static IResourceBuilder<T> WithKafkaHealthCheck<T>(this IResourceBuilder<T> resource)
        where T : IResourceWithConnectionString
    {
        IAdminClient? client = null;
        var settings = resource.ApplicationBuilder.Settings();
        return resource.WithServerHealthCheck(
            (connection, _) =>
            {
                // A broker that is not there yet is not worth a word on the console: the health report says so.
                client ??= settings.Kafka(connection).QuietAdmin(new AdminClientConfig { ReconnectBackoffMaxMs = 500 });
                return Task.Run(
                    () => client.GetMetadata(RequestTimeout).Brokers.Count > 0 ? null : "No broker responds.",
                    CancellationToken.None
                );
            }
        );
    }

    private static IResourceBuilder<T> WithDatabaseHealthCheck<T>(this IResourceBuilder<T> resource, string? database = null)
        where T : IResourceWithConnectionString =>
        resource.WithServerHealthCheck(
            async (connection, cancellationToken) =>
            {
                await PostgresProcess.QueryAsync(
                    database is null ? connection : $"{connection};Database={database}",
                    "SELECT 1",
                    cancellationToken
                );
                return null;
            }
        );

    /// <summary>The check gives what is wrong, or null, or throws.</summary>
    private static IResourceBuilder<T> WithServerHealthCheck<T>(
        this IResourceBuilder<T> resource,
        Func<string, CancellationToken, Task<string?>> check
    )
        where T : IResourceWithConnectionString
    {
        var key = $"{resource.Resource.Name}_check";
        resource
            .ApplicationBuilder.Services.AddHealthChecks()
            .AddAsyncCheck(
                key,
                async cancellationToken =>
                {
                    try
                    {
                        var connection = await resource.Resource.GetConnectionStringAsync(cancellationToken);
                        return await check(connection!, cancellationToken) is { } complaint
                            ? HealthCheckResult.Unhealthy(complaint)
                            : HealthCheckResult.Healthy();
                    }
                    catch (Exception exception)
                        when (exception
                                is KafkaException
                                    or Npgsql.NpgsqlException
                                    or TimeoutException
                                    or System.Net.Sockets.SocketException
                        )
                    {
                        return HealthCheckResult.Unhealthy(exception.Message, exception);
                    }
                }
            );
        return resource.WithHealthCheck(key);
    }
}
