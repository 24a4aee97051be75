using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Maintenance;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddAggregator();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapPurge();
app.RunService();
