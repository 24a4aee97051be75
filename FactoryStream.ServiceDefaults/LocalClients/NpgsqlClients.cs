using Aspire.Npgsql;
using Aspire.Npgsql.EntityFrameworkCore.PostgreSQL;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Aspire.Npgsql
{
    /// <summary>Settings of a PostgreSQL data source.</summary>
    public sealed class NpgsqlSettings
    {
        public string? ConnectionString { get; set; }

        public bool DisableHealthChecks { get; set; }

        public bool DisableTracing { get; set; }

        public bool DisableMetrics { get; set; }
    }
}

namespace Aspire.Npgsql.EntityFrameworkCore.PostgreSQL
{
    /// <summary>Settings of an EF Core context on PostgreSQL.</summary>
    public sealed class NpgsqlEntityFrameworkCorePostgreSQLSettings
    {
        public string? ConnectionString { get; set; }

        public bool DisableRetry { get; set; }

        public bool DisableHealthChecks { get; set; }

        public bool DisableTracing { get; set; }

        public bool DisableMetrics { get; set; }

        /// <summary>Seconds; null: the provider's default.</summary>
        public int? CommandTimeout { get; set; }
    }
}

namespace Microsoft.Extensions.Hosting
{
    /// <summary>Registers PostgreSQL data sources.</summary>
    public static class AspirePostgreSqlNpgsqlExtensions
    {
        /// <summary>Registers a singleton <see cref="NpgsqlDataSource"/> on the connection string of that name, with health check, traces and metrics.</summary>
        /// <exception cref="InvalidOperationException">On first use, when there is no connection string.</exception>
        public static void AddNpgsqlDataSource(
            this IHostApplicationBuilder builder,
            string connectionName,
            Action<NpgsqlSettings>? configureSettings = null,
            Action<NpgsqlDataSourceBuilder>? configureDataSourceBuilder = null)
        {
            var settings = new NpgsqlSettings();
            NpgsqlClients.Bind(builder, "Aspire:Npgsql", connectionName, settings);
            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            builder.Services.AddSingleton(services =>
            {
                var dataSource = new NpgsqlDataSourceBuilder(NpgsqlClients.Require(settings.ConnectionString, connectionName));
                dataSource.UseLoggerFactory(services.GetRequiredService<ILoggerFactory>());
                configureDataSourceBuilder?.Invoke(dataSource);
                return dataSource.Build();
            });
            NpgsqlClients.AddTelemetry(builder, settings.DisableTracing, settings.DisableMetrics);
            if (!settings.DisableHealthChecks)
                builder.Services.AddHealthChecks().Add(new("PostgreSql", services => new NpgsqlHealthCheck(services.GetRequiredService<NpgsqlDataSource>()), null, null));
        }
    }

    /// <summary>Registers EF Core contexts on PostgreSQL.</summary>
    public static class AspireEFPostgreSqlExtensions
    {
        /// <summary>Registers a pooled <typeparamref name="TContext"/> on the connection string of that name, with retries, health check, traces and metrics.</summary>
        /// <exception cref="InvalidOperationException">On first use, when there is no connection string.</exception>
        public static void AddNpgsqlDbContext<TContext>(
            this IHostApplicationBuilder builder,
            string connectionName,
            Action<NpgsqlEntityFrameworkCorePostgreSQLSettings>? configureSettings = null,
            Action<DbContextOptionsBuilder>? configureDbContextOptions = null) where TContext : DbContext
        {
            var settings = new NpgsqlEntityFrameworkCorePostgreSQLSettings();
            NpgsqlClients.Bind(builder, "Aspire:Npgsql:EntityFrameworkCore:PostgreSQL", connectionName, settings);
            builder.Configuration.GetSection($"Aspire:Npgsql:EntityFrameworkCore:PostgreSQL:{typeof(TContext).Name}").Bind(settings);
            settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
            configureSettings?.Invoke(settings);
            builder.Services.AddDbContextPool<TContext>(options =>
            {
                options.UseNpgsql(NpgsqlClients.Require(settings.ConnectionString, connectionName), npgsql =>
                {
                    if (!settings.DisableRetry)
                        npgsql.EnableRetryOnFailure();
                    if (settings.CommandTimeout is { } seconds)
                        npgsql.CommandTimeout(seconds);
                });
                configureDbContextOptions?.Invoke(options);
            });
            NpgsqlClients.AddTelemetry(builder, settings.DisableTracing, settings.DisableMetrics);
            if (!settings.DisableHealthChecks)
                builder.Services.AddHealthChecks().Add(new(typeof(TContext).Name, services => new DbContextHealthCheck<TContext>(services.GetRequiredService<IServiceScopeFactory>()), null, null));
        }
    }

    internal static class NpgsqlClients
    {
        public static void Bind(IHostApplicationBuilder builder, string section, string name, object settings)
        {
            builder.Configuration.GetSection(section).Bind(settings);
            builder.Configuration.GetSection($"{section}:{name}").Bind(settings);
        }

        public static string Require(string? connectionString, string connectionName) => string.IsNullOrEmpty(connectionString)
            ? throw new InvalidOperationException($"No PostgreSQL address: set ConnectionStrings__{connectionName} (Host=...;Database=...) or start the service through the AppHost.")
            : connectionString;

        public static void AddTelemetry(IHostApplicationBuilder builder, bool disableTracing, bool disableMetrics)
        {
            if (!disableTracing)
                builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddNpgsql());
            if (!disableMetrics)
                builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Npgsql"));
        }
    }

    internal sealed class NpgsqlHealthCheck(NpgsqlDataSource dataSource) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var command = dataSource.CreateCommand("SELECT 1");
                await command.ExecuteScalarAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (NpgsqlException exception)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception);
            }
        }
    }

    internal sealed class DbContextHealthCheck<TContext>(IServiceScopeFactory scopes) : IHealthCheck where TContext : DbContext
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await using var scope = scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<TContext>().Database.CanConnectAsync(cancellationToken)
                ? HealthCheckResult.Healthy()
                : new HealthCheckResult(context.Registration.FailureStatus, "The database does not answer.");
        }
    }
}
