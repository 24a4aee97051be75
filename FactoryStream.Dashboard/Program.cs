using FactoryStream.Dashboard;
using FactoryStream.Dashboard.Access;
using FactoryStream.Dashboard.Api;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddAccess();
builder.AddReading();
builder.AddKeys();
builder.AddLive();
builder.AddWebhooks();
builder.AddPipeline();
builder.AddApi();
builder.AddPages();

var app = builder.Build();
app.UseSecurityHeaders();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseRefusalWhileStopping();
app.UseAccess();
app.UseAntiforgery();
app.UseWebSockets();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapApi();
app.MapProviderSignIn();
app.MapPages();
app.RunService();
