using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddVerifier();

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapKeyEndpoints();
app.RunService();
