using System.Net;
using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Supervision;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.LocalHosting.AspireDashboard;

/// <summary>The port that <see cref="ResourceService"/> is reached at: on the loopback address, for whoever has the key of this run. Ends after everything else.</summary>
internal sealed class ResourceServiceHost(IServiceProvider services) : IHostedService, IAsyncDisposable
{
    private const string KeyHeader = "x-resource-service-api-key";

    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim gate = new(1, 1);
    private WebApplication? application;
    private bool disposed;

    public string ApiKey { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>The AppHost is stopping, and all its resources have ended.</summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>Starts it, if it was not yet; its address.</summary>
    public async Task<Uri> AddressAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (application is null)
            {
                var started = Build();
                await started.StartAsync(cancellationToken);
                application = started;
            }
        }
        finally
        {
            gate.Release();
        }
        return new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    /// <summary>Services come first: it starts when the dashboard does.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        if (application is { } started)
            await started.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        await stopping.CancelAsync();
        if (application is not null)
            await application.DisposeAsync();
        application = null;
        stopping.Dispose();
        gate.Dispose();
    }

    private WebApplication Build()
    {
        // Empty: it reads none of the AppHost's settings and environment, logs nothing, and hears no signals.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(services.GetRequiredService<ResourceNotificationService>());
        builder.Services.AddSingleton(services.GetRequiredService<ResourceLoggerService>());
        builder.Services.AddSingleton(services.GetRequiredService<ResourceCommandService>());
        builder.Services.AddSingleton(services.GetRequiredService<AppHostSettings>());
        builder.Services.AddSingleton(this);
        // The dashboard is gone by then; whoever else asks has been told to go.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddRouting();
        builder.Services.AddGrpc();
        var built = builder.Build();
        built.Use((context, next) =>
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(context.Request.Headers[KeyHeader].ToString()), Encoding.UTF8.GetBytes(ApiKey)))
                return next(context);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        built.UseRouting();
        built.MapGrpcService<ResourceService>();
        return built;
    }
}
