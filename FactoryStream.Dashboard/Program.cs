using FactoryStream.Dashboard;
using FactoryStream.Dashboard.Api;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddReading();
builder.AddLive();
builder.AddApi();
builder.AddPages();

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseRefusalWhileStopping();
app.UseAntiforgery();
app.UseWebSockets();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapApi();
app.MapReceipts();
app.MapRejections();
app.MapAlertRules();
app.MapAlerts();
app.MapPages();
app.RunService();
