using FactoryStream.Dashboard;
using FactoryStream.Dashboard.Api;
using FactoryStream.Dashboard.Components;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddDashboardOptions();
builder.AddLiveWindows();
builder.AddBooks();
builder.Services.AddApi();
builder.AddPages();

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseAntiforgery();
app.UseWebSockets();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapApi();
app.MapLiveSocket();
app.MapStaticAssets();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
app.Run();
