using System.Net;
using System.Text;
using System.Text.Json;
using FactoryStream.Verifier.Keys;
using static FactoryStream.Tests.Verifier.Factories;
using static FactoryStream.Tests.Verifier.KeyApi;

namespace FactoryStream.Tests.Verifier;

public sealed class KeyEnrolmentTests : IAsyncLifetime
{
    private readonly KeyApi api = new();

    public Task InitializeAsync() => api.StartAsync();

    public Task DisposeAsync() => api.StopAsync();

    [Fact]
    public async Task A_key_is_enrolled_once_however_often_it_is_sent()
    {
        var body = Json(new { factory_id = "f1", public_key = Signer(0).ExportPublicKeyPem() });
        var (first, created, location) = await api.SendAsync(HttpMethod.Post, "/keys", body);
        var (second, repeated, _) = await api.SendAsync(HttpMethod.Post, "/keys", body);

        var keyId = SigningKey.IdOf("f1", PublicKey(0));
        Assert.Equal((HttpStatusCode.Created, $"{{\"key_id\":\"{keyId}\"}}", $"/keys/{keyId}"), (first, created, location));
        Assert.Equal((HttpStatusCode.OK, created), (second, repeated));
    }

    [Fact]
    public async Task One_key_pair_may_serve_two_factories()
    {
        Assert.Equal(HttpStatusCode.Created, (await api.EnrolAsync("f1", 0)).Status);
        Assert.Equal(HttpStatusCode.Created, (await api.EnrolAsync("f2", 0)).Status);
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
            var (status, _, _) = await api.SendAsync(
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
        var (status, body, _) = await api.SendAsync(HttpMethod.Post, "/keys", Json(new { factory_id = "f1", public_key = pem }));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("private key", JsonDocument.Parse(body).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(pem.Split('\n')[1], body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_factory_is_called_as_the_ledger_calls_those_without_a_key()
    {
        var (status, body, _) = await api.SendAsync(
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
        await api.EnrolAsync("f1", 0);
        var base64 = Convert.ToBase64String(PublicKey(0).SubjectPublicKeyInfo.Span);

        var (status, body, _) = await api.SendAsync(
            HttpMethod.Post,
            "/keys",
            "\uFEFF" + Json(new { factory_id = "f1", public_key = base64 })
        );

        Assert.Equal((HttpStatusCode.OK, $"{{\"key_id\":\"{SigningKey.IdOf("f1", PublicKey(0))}\"}}"), (status, body));
    }

    [Fact]
    public async Task A_weak_key_is_refused()
    {
        using var weak = System.Security.Cryptography.RSA.Create(1024);
        var (status, body, _) = await api.SendAsync(
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
        var (status, answer, _) = await api.SendAsync(HttpMethod.Post, "/keys", body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.NotEqual("", JsonDocument.Parse(answer).RootElement.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_body_is_bounded() =>
        Assert.Equal(
            HttpStatusCode.RequestEntityTooLarge,
            (await api.SendAsync(HttpMethod.Post, "/keys", new string(' ', 100_000))).Status
        );

    [Fact]
    public async Task Another_validity_for_the_same_key_is_a_conflict()
    {
        await api.EnrolAsync("f1", 0);
        var (status, _, _) = await api.SendAsync(
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
}
