using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddVerifierOptions();
builder.AddSigningKeys();
builder.AddVerifying();
builder.Services.AddKeyApi();

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapKeyEndpoints();
app.RunService();
