using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Keys;

/// <summary>What somebody wants to enrol: the members of the Verifier's <c>POST /keys</c>.</summary>
internal sealed record KeyToEnrol(string FactoryId, string PublicKey, DateTime? NotBefore, DateTime? NotAfter);

/// <summary>What came of a change of a key: done, or refused with the Verifier's reason.</summary>
/// <param name="Refusal">Why it is not done; null: it is.</param>
/// <param name="KeyId">The id of the key that was enrolled; null: none was.</param>
internal readonly record struct KeyChange(string? Refusal, string? KeyId = null)
{
    public bool IsDone => Refusal is null;
}

/// <summary>The Verifier's keys, by its own API; changed with its admin token, for the person who asks.</summary>
internal sealed class VerifierKeys(HttpClient verifier, IOptions<DashboardOptions> options, DashboardLog log)
{
    /// <summary>All keys, by factory, newest first.</summary>
    /// <exception cref="VerifierAwayException">It does not respond.</exception>
    public async Task<IReadOnlyList<EnrolledKey>> ListAsync(CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/keys");
        using var response = await SendAsync(request, cancellation);
        // It responds, but cannot: its own words say what is away.
        if (!response.IsSuccessStatusCode)
            throw new NotNowException($"The Verifier cannot show its keys: {await ReasonAsync(response, cancellation)}");
        var body = await response.Content.ReadAsStringAsync(cancellation);
        return JsonSerializer.Deserialize(body, VerifierJson.Default.EnrolledKeys)!.Keys;
    }

    /// <summary>Enrols a public key.</summary>
    /// <exception cref="VerifierAwayException">It does not respond; whether the key is enrolled is not known.</exception>
    public Task<KeyChange> EnrolAsync(KeyToEnrol key, string who, CancellationToken cancellation) =>
        EnrolAsync(JsonSerializer.Serialize(key, VerifierJson.Default.KeyToEnrol), who, cancellation);

    /// <summary>Enrols what a factory has signed with its new key, byte for byte.</summary>
    /// <exception cref="VerifierAwayException">It does not respond; whether the key is enrolled is not known.</exception>
    public async Task<KeyChange> EnrolAsync(string envelope, string who, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/keys");
        request.Content = new StringContent(envelope, Encoding.UTF8, MediaTypeNames.Application.Json);
        return await ChangeAsync(request, who, cancellation);
    }

    /// <summary>Revokes a key as from a time; null: from now on.</summary>
    /// <exception cref="VerifierAwayException">It does not respond; whether the key is revoked is not known.</exception>
    public async Task<KeyChange> RevokeAsync(string keyId, DateTime? effective, string who, CancellationToken cancellation)
    {
        var query = effective is { } from ? QueryString.Create("effective", from.ToString("O", CultureInfo.InvariantCulture)) : default;
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/keys/{Uri.EscapeDataString(keyId)}{query}");
        return await ChangeAsync(request, who, cancellation);
    }

    private async Task<KeyChange> ChangeAsync(HttpRequestMessage request, string who, CancellationToken cancellation)
    {
        if (options.Value.VerifierAdminToken is not { Length: > 0 } token)
            return new("The Dashboard has no admin token of the Verifier; set Dashboard__VerifierAdminToken.");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        ActingFor.Set(request, who);
        using var response = await SendAsync(request, cancellation);
        if (!response.IsSuccessStatusCode)
            return new(await ReasonAsync(response, cancellation));
        if (request.Method != HttpMethod.Post)
            return default;
        // {"key_id": "..."}
        var body = await response.Content.ReadAsStringAsync(cancellation);
        return new(null, JsonSerializer.Deserialize(body, VerifierJson.Default.EnrolledId)!.KeyId);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            return await verifier.SendAsync(request, cancellation);
        }
        catch (Exception exception)
            when (exception is HttpRequestException || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            log.VerifierAway(exception.Message);
            throw new VerifierAwayException();
        }
    }

    /// <summary>The detail of a problem (RFC 9457), e.g. <c>{"status": 400, "detail": "public_key is missing."}</c>.</summary>
    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsStringAsync(cancellation);
        var isProblem = response.Content.Headers.ContentType?.MediaType == MediaTypeNames.Application.ProblemJson;
        return (isProblem ? JsonSerializer.Deserialize(body, VerifierJson.Default.VerifierProblem)?.Detail : null)
            ?? string.Create(CultureInfo.InvariantCulture, $"The Verifier's answer is {(int)response.StatusCode}; its log may say why.");
    }
}

/// <summary>The Verifier does not respond.</summary>
internal sealed class VerifierAwayException()
    : NotNowException(
        "The Verifier does not respond, so keys can be neither shown nor changed. See that it runs; the Dashboard finds it by "
            + "services__verifier__http__0."
    );

/// <summary>The answer of <c>GET /keys</c>.</summary>
internal sealed record EnrolledKeys(IReadOnlyList<EnrolledKey> Keys);

/// <summary>The answer of <c>POST /keys</c>.</summary>
internal sealed record EnrolledId(string KeyId);

/// <summary>Why the Verifier refuses.</summary>
internal sealed record VerifierProblem(string? Detail);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EnrolledKeys))]
[JsonSerializable(typeof(KeyToEnrol))]
[JsonSerializable(typeof(EnrolledId))]
[JsonSerializable(typeof(VerifierProblem))]
internal sealed partial class VerifierJson : JsonSerializerContext;
