using System.Net;
using System.Text.Json;
using FactoryStream.Verifier.Keys;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using static FactoryStream.Tests.Verifier.Factories;
using static FactoryStream.Tests.Verifier.KeyApi;

namespace FactoryStream.Tests.Verifier;

public sealed class KeyEndpointsTests : IAsyncLifetime
{
    private readonly KeyApi api = new();

    public Task InitializeAsync() => api.StartAsync();

    public Task DisposeAsync() => api.StopAsync();

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
        await api.EnrolAsync("f1", 0);
        var path = $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}";

        Assert.Equal(HttpStatusCode.BadRequest, (await api.SendAsync(HttpMethod.Delete, $"{path}?effective={effective}")).Status);

        Assert.Contains("\"revoked_at\":null", (await api.SendAsync(HttpMethod.Get, path)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_may_be_revoked_from_the_beginning_of_time_but_is_not_valid_before_it()
    {
        await api.EnrolAsync("f1", 0);

        var (revoked, answer, _) = await api.SendAsync(
            HttpMethod.Delete,
            $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}?effective=1970-01-01T00:00:00Z"
        );
        var (enrolled, problem, _) = await api.SendAsync(
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

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer")]
    [InlineData("Bearer wrong")]
    [InlineData("Basic a-token-for-tests")]
    public async Task Without_the_admin_token_nothing_is_enrolled_or_revoked(string? authorization)
    {
        using var client = api.Client();
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
        await using var open = await api.StartAsync(token: null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.SendAsync(HttpMethod.Post, "/keys", "{}", open)).Status);
    }

    [Fact]
    public async Task Revoking_keeps_the_earliest_time()
    {
        await api.EnrolAsync("f1", 0);
        var path = $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}";

        Assert.Equal("2026-03-01T12:00:00Z", RevokedAt(await api.SendAsync(HttpMethod.Delete, path)));
        api.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("2026-03-01T12:00:00Z", RevokedAt(await api.SendAsync(HttpMethod.Delete, path)));
        Assert.Equal(
            "2026-03-01T11:00:00Z",
            RevokedAt(await api.SendAsync(HttpMethod.Delete, path + "?effective=2026-03-01T12:00:00%2B01:00"))
        );
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Delete, "/keys/none")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await api.EnrolAsync("f1", 0)).Status);

        static string? RevokedAt((HttpStatusCode Status, string Body, string? Location) answer)
        {
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            return JsonDocument.Parse(answer.Body).RootElement.GetProperty("revoked_at").GetString();
        }
    }

    [Fact]
    public async Task Keys_are_shown_by_factory_and_by_id()
    {
        await api.EnrolAsync("f1", 0);
        api.Time.Advance(TimeSpan.FromDays(1));
        await api.EnrolAsync("f1", 1);
        await api.EnrolAsync("f2", 2);

        var list = JsonDocument.Parse((await api.SendAsync(HttpMethod.Get, "/keys?factory_id=f1")).Body).RootElement.GetProperty("keys");
        Assert.Equal(
            [SigningKey.IdOf("f1", PublicKey(1)), SigningKey.IdOf("f1", PublicKey(0))],
            list.EnumerateArray().Select(key => key.GetProperty("key_id").GetString())
        );
        Assert.Equal(
            3,
            JsonDocument.Parse((await api.SendAsync(HttpMethod.Get, "/keys")).Body).RootElement.GetProperty("keys").GetArrayLength()
        );

        var (_, one, _) = await api.SendAsync(HttpMethod.Get, $"/keys/{SigningKey.IdOf("f2", PublicKey(2))}");
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
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/keys/none")).Status);
    }

    [Fact]
    public async Task The_public_key_of_a_factory_is_its_newest_valid_one()
    {
        await api.EnrolAsync("f1", 0);
        api.Time.Advance(TimeSpan.FromDays(1));
        await api.EnrolAsync("f1", 1);
        Assert.Equal(Signer(1).ExportPublicKeyPem(), await PublicKeyAsync());

        await api.SendAsync(HttpMethod.Delete, $"/keys/{SigningKey.IdOf("f1", PublicKey(1))}");
        Assert.Equal(Signer(0).ExportPublicKeyPem(), await PublicKeyAsync());

        await api.SendAsync(HttpMethod.Delete, $"/keys/{SigningKey.IdOf("f1", PublicKey(0))}");
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/public-key?factory_id=f1")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await api.SendAsync(HttpMethod.Get, "/public-key")).Status);

        async Task<string?> PublicKeyAsync() =>
            JsonDocument
                .Parse((await api.SendAsync(HttpMethod.Get, "/public-key?factory_id=f1")).Body)
                .RootElement.GetProperty("public-key")
                .GetString();
    }

    [Fact]
    public async Task A_database_that_is_away_is_not_the_clients_fault()
    {
        api.Store.Failure = new NpgsqlException("away");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.EnrolAsync("f1", 0)).Status);
    }

    [Fact]
    public async Task Whoever_asks_is_told_which_factories_have_a_key_and_what_the_databases_clock_says()
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.SendAsync(HttpMethod.Get, "/keys/factories")).Status);
        await api.EnrolAsync("f1", 0);
        await api.EnrolAsync("f1", 1);
        await api.EnrolAsync("f2", 0);
        await api.Services.GetRequiredService<KeyRing>().RefreshAsync(api.Time.GetTimestamp(), default);

        var (status, body, _) = await api.SendAsync(HttpMethod.Get, "/keys/factories");

        Assert.Equal((HttpStatusCode.OK, """{"factories":["f1","f2"],"clock":"2026-03-01T12:00:00Z"}"""), (status, body));
    }

    [Fact]
    public async Task The_interface_describes_itself()
    {
        var (status, body, _) = await api.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            ["/keys", "/keys/factories", "/keys/{keyId}", "/public-key"],
            JsonDocument.Parse(body).RootElement.GetProperty("paths").EnumerateObject().Select(path => path.Name).Order()
        );
    }
}
