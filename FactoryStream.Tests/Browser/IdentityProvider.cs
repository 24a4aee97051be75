using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FactoryStream.Tests.Browser;

/// <summary>An OpenID Connect provider on this machine: whoever comes is Ann, without being asked.</summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    private const string ClientId = "factorystream";

    private readonly WebApplication app;
    private readonly RSA key = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge, string RedirectUri)> codes = new();

    private IdentityProvider(string role)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.MapGet("/.well-known/openid-configuration", Configuration);
        app.MapGet("/keys", Keys);
        app.MapGet("/authorize", Authorize);
        app.MapPost("/token", (HttpRequest request) => TokenAsync(request, role));
    }

    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public string[] Settings =>
        [$"--Dashboard:Access:Authority={Address}", $"--Dashboard:Access:ClientId={ClientId}", "--Dashboard:Access:ClientSecret=secret"];

    /// <param name="role">The value of Ann's claim <c>roles</c>.</param>
    public static async Task<IdentityProvider> StartAsync(string role)
    {
        var provider = new IdentityProvider(role);
        await provider.app.StartAsync();
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        key.Dispose();
    }

    private IResult Configuration() =>
        Results.Json(
            new Dictionary<string, object>
            {
                ["issuer"] = Address,
                ["authorization_endpoint"] = $"{Address}/authorize",
                ["token_endpoint"] = $"{Address}/token",
                ["jwks_uri"] = $"{Address}/keys",
                ["response_types_supported"] = (string[])["code"],
                ["subject_types_supported"] = (string[])["public"],
                ["id_token_signing_alg_values_supported"] = (string[])["RS256"],
            }
        );

    private IResult Keys()
    {
        var numbers = key.ExportParameters(false);
        return Results.Json(
            new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "RSA",
                        use = "sig",
                        kid = "1",
                        n = Base64UrlEncoder.Encode(numbers.Modulus),
                        e = Base64UrlEncoder.Encode(numbers.Exponent),
                    },
                },
            }
        );
    }

    private IResult Authorize(string client_id, string redirect_uri, string state, string nonce, string code_challenge)
    {
        if (client_id != ClientId)
            return Results.BadRequest();
        var code = Guid.NewGuid().ToString();
        codes[code] = (nonce, code_challenge, redirect_uri);
        return Results.Redirect($"{redirect_uri}?code={code}&state={Uri.EscapeDataString(state)}");
    }

    private async Task<IResult> TokenAsync(HttpRequest request, string role)
    {
        var form = await request.ReadFormAsync();
        var verifier = Base64UrlEncoder.Encode(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
        if (
            !codes.TryRemove(form["code"].ToString(), out var code)
            || code.Challenge != verifier
            || code.RedirectUri != form["redirect_uri"]
            || form["client_secret"] != "secret"
        )
            return Results.BadRequest();
        var token = new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = Address,
                Audience = ClientId,
                Subject = new ClaimsIdentity([new("sub", "1"), new("name", "Ann"), new("roles", role), new("nonce", code.Nonce)]),
                SigningCredentials = new(new RsaSecurityKey(key) { KeyId = "1" }, SecurityAlgorithms.RsaSha256),
            }
        );
        return Results.Json(
            new
            {
                access_token = "unused",
                token_type = "Bearer",
                id_token = token,
            }
        );
    }
}
