using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Maintenance;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddAggregator();
builder.Services.AddOpenApi();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapPurge();
app.RunService();
