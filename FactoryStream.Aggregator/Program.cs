using FactoryStream.Aggregator;
using FactoryStream.Storage;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName);

builder.Services.AddOptions<AggregatorOptions>().BindConfiguration(AggregatorOptions.Section).ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddSingleton<AggregatorMetrics>();
builder.Services.AddSingleton<AggregatorHealth>();
builder.Services.AddHealthChecks().AddCheck<AggregatorHealth>("aggregator");
builder.Services.AddSingleton<RetentionRuns>();
builder.Services.AddHostedService<AggregatorWorker>();
builder.Services.AddHostedService<RetentionWorker>();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapPurge();
app.RunService();
