using FactoryStream.Aggregator.Consuming;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator;

/// <summary>What the Aggregator is made of.</summary>
internal static class AggregatorServices
{
    public static void AddAggregator(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName);
        builder
            .Services.AddOptions<AggregatorOptions>()
            .BindConfiguration(AggregatorOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Services.AddSingleton<AggregatorMetrics>();
        builder.Services.AddSingleton<AggregatorLog>();
        builder.Services.AddSingleton<AggregatorHealthCheck>();
        builder.Services.AddHealthChecks().AddCheck<AggregatorHealthCheck>("aggregator");
        builder.Services.AddSingleton<RetentionRuns>();
        builder.Services.AddSingleton<AlertRuleDirectory>();
        builder.Services.AddSingleton<RetentionTimes>();
        builder.Services.AddHostedService<AggregatorWorker>();
        builder.Services.AddHostedService<RetentionWorker>();
        builder.Services.AddHostedService<AlertWatchWorker>();
        builder.Services.AddHostedService<RollupWorker>();
    }
}
