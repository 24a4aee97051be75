using FactoryStream.Storage;

namespace FactoryStream.Migrations;

/// <summary>What Migrations is made of.</summary>
internal static class MigrationsServices
{
    public static void AddMigrations(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName);
        builder.AddNpgsqlDbContext<FactoryDbContext>(
            FactoryDbContext.ConnectionName,
            configureDbContextOptions: options => FactoryDbContext.Configure(options)
        );
        builder
            .Services.AddOptions<MigrationsOptions>()
            .BindConfiguration(MigrationsOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Services.AddSingleton<MigrationsLog>();
        builder.Services.AddHostedService<MigrationsWorker>();
    }
}
