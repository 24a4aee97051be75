using FactoryStream.Migrations;
using FactoryStream.ServiceDefaults;

// A program that ends: 0 when database and topics are ready, 1 with a message when they cannot be made so.
var builder = Host.CreateApplicationBuilder(args);
builder.AddServiceDefaults();
builder.AddMigrations();

using var host = builder.Build();

// The host frees its services when it ends.
var failFast = host.Services.GetRequiredService<FailFast>();
await host.RunAsync();
return failFast.ExitCode;
