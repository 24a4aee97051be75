using FactoryStream.Dashboard;
using FactoryStream.Dashboard.Components;

var builder = WebApplication.CreateBuilder(args);
// The orchestrator runs the build's output, in whatever environment: the packages' style sheets and scripts are to be found there as well.
builder.WebHost.UseStaticWebAssets();
builder.AddServiceDefaults();
builder.AddDashboard();

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseAntiforgery();
app.UseWebSockets();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapStaticAssets();
app.MapApi();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
app.Run();
