using FactoryStream.Ingest;
using FactoryStream.Ingest.Live;
using FactoryStream.Ingest.Readings;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddIngestOptions();
builder.AddLog();
builder.Services.AddLive();
builder.Services.AddSources();
builder.AddIngestApi();

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseRequestDecompression();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapReadings();
app.MapStream();
app.RunService();
