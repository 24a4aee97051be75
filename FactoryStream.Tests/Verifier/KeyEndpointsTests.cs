using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FactoryStream.Signatures;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

public sealed class KeyEndpointsTests : IAsyncLifetime
{
    private const string Token = "a-token-for-tests";

    private readonly FakeTimeProvider time = new(new DateTimeOffset(Noon));
    private readonly MemoryKeyStore store = new();
    private WebApplication app = null!;

    public async Task InitializeAsync() => app = await StartAsync(Token);

    public async Task DisposeAsync() => await app.DisposeAsync();

    [Fact]
    public async Task A_key_is_enrolled_once_however_often_it_is_sent()
    {
        var body = Json(new { factory_id = "f1", public_key = Signer(0).ExportPublicKeyPem() });
        var (first, created, location) = await SendAsync(HttpMethod.Post, "/keys", body);
        var (second, repeated, _) = await SendAsync(HttpMethod.Post, "/keys", body);

        var keyId = SigningKey.IdOf("f1", PublicKey(0));
        Assert.Equal((HttpStatusCode.Created, $"{{\"key_id\":\"{keyId}\"}}", $"/keys/{keyId}"), (first, created, location));
        Assert.Equal((HttpStatusCode.OK, created), (second, repeated));
    }

    [Fact]
    public async Task One_key_pair_may_serve_two_factories()
    {
        Assert.Equal(HttpStatusCode.Created, (await EnrolAsync("f1", 0)).Status);
        Assert.Equal(HttpStatusCode.Created, (await EnrolAsync("f2", 0)).Status);
        Assert.NotEqual(SigningKey.IdOf("f1", PublicKey(0)), SigningKey.IdOf("f2", PublicKey(0)));
    }

    [Fact]
    public async Task Possession_can_be_proved_and_a_false_proof_is_refused()
    {
        var data = Json(
            new
            {
                factory_id = "f1",
                public_key = Signer(0).ExportPublicKeyPem(),
                not_after = "2027-01-01T00:00:00Z",
            }
        );
        foreach (var (pair, expected) in new[] { (1, HttpStatusCode.BadRequest), (0, HttpStatusCode.Created) })
        {
            var signature = new byte[256];
            Signer(pair).Sign(Encoding.UTF8.GetBytes(data), signature);
            var (status, _, _) = await SendAsync(
                HttpMethod.Post,
                "/keys",
                $"{{\"data\": {data}, \"signature\": \"{Convert.ToBase64String(signature)}\"}}"
            );
            Assert.Equal(expected, status);
        }
    }

    [Fact]
    public async Task A_private_key_is_refused_and_not_repeated()
    {
        var pem = Signer(0).ExportPrivateKeyPem();
        var (status, body, _) = await SendAsync(HttpMethod.Post, "/keys", Json(new { factory_id = "f1", public_key = pem }));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("private key", JsonDocument.Parse(body).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(pem.Split('\n')[1], body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_factory_is_called_as_the_ledger_calls_those_without_a_key()
    {
        var (status, body, _) = await SendAsync(
            HttpMethod.Post,
            "/keys",
            Json(new { factory_id = "unknown", public_key = Signer(0).ExportPublicKeyPem() })
        );

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("can be called unknown", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_comes_in_another_form_is_the_key_that_is_enrolled()
    {
        await EnrolAsync("f1", 0);
        var base64 = Convert.ToBase64String(PublicKey(0).SubjectPublicKeyInfo.Span);

        var (status, body, _) = await SendAsync(HttpMethod.Post, "/keys", "\uFEFF" + Json(new { factory_id = "f1", public_key = base64 }));

        Assert.Equal((HttpStatusCode.OK, $"{{\"key_id\":\"{SigningKey.IdOf("f1", PublicKey(0))}\"}}"), (status, body));
    }

    [Theory]
    [InlineData("0001-01-01")]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("1969-12-31T23:59:59.999999Z")]
    [InlineData("1970-01-01T00:00:00%2B14:00")]
    [InlineData("-infinity")]
    [InlineData("infinity")]
    [InlineData("294276-12-31T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59-14:00")]
    public async Task A_revocation_outside_all_time_is_refused_and_changes_nothing(string effective)
    {
        await EnrolAsync("f1", 0);
        var path = $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}";

        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Delete, $"{path}?effective={effective}")).Status);

        Assert.Contains("\"revoked_at\":null", (await SendAsync(HttpMethod.Get, path)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_may_be_revoked_from_the_beginning_of_time_but_is_not_valid_before_it()
    {
        await EnrolAsync("f1", 0);

        var (revoked, answer, _) = await SendAsync(
            HttpMethod.Delete,
            $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}?effective=1970-01-01T00:00:00Z"
        );
        var (enrolled, problem, _) = await SendAsync(
            HttpMethod.Post,
            "/keys",
            Json(
                new
                {
                    factory_id = "f2",
                    public_key = Signer(1).ExportPublicKeyPem(),
                    not_before = "0001-01-01T00:00:00Z",
                }
            )
        );

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadRequest), (revoked, enrolled));
        Assert.Contains("\"revoked_at\":\"1970-01-01T00:00:00Z\"", answer, StringComparison.Ordinal);
        Assert.Contains("1970 to 9999", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_weak_key_is_refused()
    {
        using var weak = System.Security.Cryptography.RSA.Create(1024);
        var (status, body, _) = await SendAsync(
            HttpMethod.Post,
            "/keys",
            Json(new { factory_id = "f1", public_key = weak.ExportSubjectPublicKeyInfoPem() })
        );

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("1024 bits", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"factory_id\":\"f1\"}")]
    [InlineData("{\"factory_id\":\"\",\"public_key\":\"x\"}")]
    [InlineData("{\"factory_id\":\"a\\u0000b\",\"public_key\":\"x\"}")]
    [InlineData("{\"factory_id\":\"f1\",\"public_key\":\"no PEM\"}")]
    [InlineData("{\"factory_id\":\"f1\",\"factory_id\":\"f2\",\"public_key\":\"x\"}")]
    [InlineData("{\"factory_id\":17,\"public_key\":\"x\"}")]
    [InlineData("{\"data\":{\"factory_id\":\"f1\"},\"signature\":7}")]
    public async Task What_is_no_enrolment_is_a_problem_that_says_why(string body)
    {
        var (status, answer, _) = await SendAsync(HttpMethod.Post, "/keys", body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.NotEqual("", JsonDocument.Parse(answer).RootElement.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_body_is_bounded() =>
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SendAsync(HttpMethod.Post, "/keys", new string(' ', 100_000))).Status);

    [Fact]
    public async Task Another_validity_for_the_same_key_is_a_conflict()
    {
        await EnrolAsync("f1", 0);
        var (status, _, _) = await SendAsync(
            HttpMethod.Post,
            "/keys",
            Json(
                new
                {
                    factory_id = "f1",
                    public_key = Signer(0).ExportPublicKeyPem(),
                    not_after = "2030-01-01T00:00:00Z",
                }
            )
        );
        Assert.Equal(HttpStatusCode.Conflict, status);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer")]
    [InlineData("Bearer wrong")]
    [InlineData("Basic a-token-for-tests")]
    public async Task Without_the_admin_token_nothing_is_enrolled_or_revoked(string? authorization)
    {
        using var client = app.GetTestClient();
        foreach (
            var request in new[]
            {
                new HttpRequestMessage(HttpMethod.Post, "/keys") { Content = new StringContent("{}", null, "application/json") },
                new HttpRequestMessage(HttpMethod.Delete, "/keys/x"),
            }
        )
        {
            if (authorization is not null)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var response = await client.SendAsync(request);
            Assert.Equal(
                (HttpStatusCode.Unauthorized, "application/problem+json", "Bearer"),
                (response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Headers.WwwAuthenticate.ToString())
            );
        }
    }

    [Fact]
    public async Task With_no_admin_token_configured_nobody_enrols()
    {
        await using var open = await StartAsync(token: null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await SendAsync(HttpMethod.Post, "/keys", "{}", open)).Status);
    }

    [Fact]
    public async Task Revoking_keeps_the_earliest_time()
    {
        await EnrolAsync("f1", 0);
        var path = $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}";

        Assert.Equal("2026-03-01T12:00:00Z", RevokedAt(await SendAsync(HttpMethod.Delete, path)));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("2026-03-01T12:00:00Z", RevokedAt(await SendAsync(HttpMethod.Delete, path)));
        Assert.Equal(
            "2026-03-01T11:00:00Z",
            RevokedAt(await SendAsync(HttpMethod.Delete, path + "?effective=2026-03-01T12:00:00%2B01:00"))
        );
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, "/keys/none")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await EnrolAsync("f1", 0)).Status);

        static string? RevokedAt((HttpStatusCode Status, string Body, string? Location) answer)
        {
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            return JsonDocument.Parse(answer.Body).RootElement.GetProperty("revoked_at").GetString();
        }
    }

    [Fact]
    public async Task Keys_are_shown_by_factory_and_by_id()
    {
        await EnrolAsync("f1", 0);
        time.Advance(TimeSpan.FromDays(1));
        await EnrolAsync("f1", 1);
        await EnrolAsync("f2", 2);

        var list = JsonDocument.Parse((await SendAsync(HttpMethod.Get, "/keys?factory_id=f1")).Body).RootElement.GetProperty("keys");
        Assert.Equal(
            [SigningKey.IdOf("f1", PublicKey(1)), SigningKey.IdOf("f1", PublicKey(0))],
            list.EnumerateArray().Select(key => key.GetProperty("key_id").GetString())
        );
        Assert.Equal(
            3,
            JsonDocument.Parse((await SendAsync(HttpMethod.Get, "/keys")).Body).RootElement.GetProperty("keys").GetArrayLength()
        );

        var (_, one, _) = await SendAsync(HttpMethod.Get, $"/keys/{SigningKey.IdOf("f2", PublicKey(2))}");
        Assert.Equal(
            Json(
                new
                {
                    key_id = SigningKey.IdOf("f2", PublicKey(2)),
                    factory_id = "f2",
                    algorithm = "RSASSA-PSS-SHA256",
                    key_size_bits = 3072,
                    public_key = Signer(2).ExportPublicKeyPem(),
                    not_before = (string?)null,
                    not_after = (string?)null,
                    enrolled_at = "2026-03-02T12:00:00Z",
                    revoked_at = (string?)null,
                }
            ),
            Json(JsonDocument.Parse(one).RootElement)
        );
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/keys/none")).Status);
    }

    [Fact]
    public async Task The_public_key_of_a_factory_is_its_newest_valid_one()
    {
        await EnrolAsync("f1", 0);
        time.Advance(TimeSpan.FromDays(1));
        await EnrolAsync("f1", 1);
        Assert.Equal(Signer(1).ExportPublicKeyPem(), await PublicKeyAsync());

        await SendAsync(HttpMethod.Delete, $"/keys/{SigningKey.IdOf("f1", PublicKey(1))}");
        Assert.Equal(Signer(0).ExportPublicKeyPem(), await PublicKeyAsync());

        await SendAsync(HttpMethod.Delete, $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}");
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/public-key?factory_id=f1")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Get, "/public-key")).Status);

        async Task<string?> PublicKeyAsync() =>
            JsonDocument
                .Parse((await SendAsync(HttpMethod.Get, "/public-key?factory_id=f1")).Body)
                .RootElement.GetProperty("public-key")
                .GetString();
    }

    [Fact]
    public async Task A_database_that_is_away_is_not_the_clients_fault()
    {
        store.Failure = new NpgsqlException("away");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await EnrolAsync("f1", 0)).Status);
    }

    [Fact]
    public async Task Whoever_asks_is_told_which_factories_have_a_key_and_what_the_databases_clock_says()
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await SendAsync(HttpMethod.Get, "/keys/factories")).Status);
        await EnrolAsync("f1", 0);
        await EnrolAsync("f1", 1);
        await EnrolAsync("f2", 0);
        await app.Services.GetRequiredService<KeyRing>().RefreshAsync(time.GetTimestamp(), default);

        var (status, body, _) = await SendAsync(HttpMethod.Get, "/keys/factories");

        Assert.Equal((HttpStatusCode.OK, """{"factories":["f1","f2"],"clock":"2026-03-01T12:00:00Z"}"""), (status, body));
    }

    [Fact]
    public async Task The_interface_describes_itself()
    {
        var (status, body, _) = await SendAsync(HttpMethod.Get, "/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            ["/keys", "/keys/factories", "/keys/{keyId}", "/public-key"],
            JsonDocument.Parse(body).RootElement.GetProperty("paths").EnumerateObject().Select(path => path.Name).Order()
        );
    }

    private Task<(HttpStatusCode Status, string Body, string? Location)> EnrolAsync(string factoryId, int pair) =>
        SendAsync(HttpMethod.Post, "/keys", Json(new { factory_id = factoryId, public_key = Signer(pair).ExportPublicKeyPem() }));

    private async Task<(HttpStatusCode Status, string Body, string? Location)> SendAsync(
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

    private static string Json(object value) => JsonSerializer.Serialize(value);

    private async Task<WebApplication> StartAsync(string? token)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IKeyStore>(store);
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
