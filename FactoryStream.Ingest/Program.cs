using FactoryStream.Ingest;
using FactoryStream.Ingest.Http;
using FactoryStream.Ingest.Stream;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddIngestOptions();
builder.AddKafkaProducers();
builder.Services.AddStream();
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
