using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FactoryStream.Signatures;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

/// <summary>The Verifier's key API on a key store in memory, and a client with its admin token.</summary>
internal sealed class KeyApi
{
    private const string Token = "a-token-for-tests";

    private WebApplication app = null!;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(Noon));

    public MemoryKeyStore Store { get; } = new();

    public IServiceProvider Services => app.Services;

    public async Task StartAsync() => app = await StartAsync(Token);

    public HttpClient Client() => app.GetTestClient();

    public async Task StopAsync() => await app.DisposeAsync();

    public Task<(HttpStatusCode Status, string Body, string? Location)> EnrolAsync(string factoryId, int pair) =>
        SendAsync(HttpMethod.Post, "/keys", Json(new { factory_id = factoryId, public_key = Signer(pair).ExportPublicKeyPem() }));

    public async Task<(HttpStatusCode Status, string Body, string? Location)> SendAsync(
        HttpMethod method,
        string path,
        string? body = null,
        WebApplication? to = null
    )
    {
        using var client = (to ?? app).GetTestClient();
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (body is not null)
            request.Content = new StringContent(body, null, "application/json");
        using var response = await client.SendAsync(request).WaitAsync(TimeSpan.FromSeconds(30));
        return (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.Location?.OriginalString);
    }

    public static string Json(object value) => JsonSerializer.Serialize(value);

    public async Task<WebApplication> StartAsync(string? token)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.Services.AddSingleton<IKeyStore>(Store);
        builder.Services.AddSingleton(new SignatureVerifier());
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddVerifierOptions();
        builder.Services.Configure<VerifierOptions>(options => options.AdminToken = token);
        builder.Services.AddKeyApi();
        var application = builder.Build();
        application.UseExceptionHandler();
        application.UseStatusCodePages();
        application.MapOpenApi();
        application.MapKeyEndpoints();
        await application.StartAsync();
        return application;
    }
}
