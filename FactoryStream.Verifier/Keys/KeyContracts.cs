using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Signatures;

namespace FactoryStream.Verifier.Keys;

/// <summary>A public key to enrol.</summary>
/// <param name="FactoryId">The factory whose key it is; 1 to 128 characters.</param>
/// <param name="PublicKey">RSA of 2048 to 4096 bits: PEM, an X.509 certificate, or base64 of the key's DER. Never a private key.</param>
/// <param name="NotBefore">Readings measured earlier are not this key's; 1970 or later; absent: no bound.</param>
/// <param name="NotAfter">Readings measured at or after this are not this key's; 1970 or later; absent: no bound.</param>
internal sealed record EnrolRequest(string? FactoryId, string? PublicKey, DateTimeOffset? NotBefore, DateTimeOffset? NotAfter);

/// <summary>The key is enrolled.</summary>
/// <param name="KeyId">Derived from factory and key: the same at every repeat.</param>
internal sealed record EnrolResponse(string KeyId);

/// <summary>An enrolled key.</summary>
/// <param name="KeyId">The key's id.</param>
/// <param name="FactoryId">The factory whose key it is.</param>
/// <param name="Algorithm">How it signs: <c>RSASSA-PSS-SHA256</c>.</param>
/// <param name="KeySizeBits">Size of its modulus.</param>
/// <param name="PublicKey">The key as PEM.</param>
/// <param name="NotBefore">Validity's start, inclusive.</param>
/// <param name="NotAfter">Validity's end, exclusive.</param>
/// <param name="EnrolledAt">When it was enrolled.</param>
/// <param name="RevokedAt">What is measured at or after this is rejected.</param>
internal sealed record KeyResponse(
    string KeyId,
    string FactoryId,
    string Algorithm,
    int KeySizeBits,
    string PublicKey,
    DateTime? NotBefore,
    DateTime? NotAfter,
    DateTime EnrolledAt,
    DateTime? RevokedAt
)
{
    public static KeyResponse Of(SigningKey key) =>
        new(
            key.KeyId,
            key.FactoryId,
            SigningKey.Algorithm,
            key.PublicKey.KeySizeBits,
            key.PublicKey.ExportPem(),
            key.NotBefore,
            key.NotAfter,
            key.EnrolledAt,
            key.RevokedAt
        );
}

/// <summary>Enrolled keys, by factory, newest first.</summary>
internal sealed record KeysResponse(IReadOnlyList<KeyResponse> Keys);

/// <summary>Factories that have a key, valid or not, and the time.</summary>
/// <param name="Factories">The factories' ids.</param>
/// <param name="Clock">The database's clock, now: with which others may compare theirs.</param>
internal sealed record FactoriesResponse(IReadOnlyCollection<string> Factories, DateTime? Clock);

/// <summary>A factory's newest valid key.</summary>
/// <param name="PublicKey">The key as PEM.</param>
internal sealed record PublicKeyResponse([property: JsonPropertyName("public-key")] string PublicKey);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolResponse))]
[JsonSerializable(typeof(KeyResponse))]
[JsonSerializable(typeof(KeysResponse))]
[JsonSerializable(typeof(FactoriesResponse))]
[JsonSerializable(typeof(PublicKeyResponse))]
internal sealed partial class VerifierJson : JsonSerializerContext;

/// <summary>What a client posted to enrol a key, checked: ready to be enrolled, or what is wrong with it.</summary>
internal readonly record struct Enrolment(SigningKey? Key, string? Error)
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Reads <c>{"factory_id", "public_key", ...}</c> or <c>{"data": {that}, "signature"}</c>, signed over the exact bytes of <c>data</c>
    /// with the very key.
    /// </summary>
    public static Enrolment Parse(ReadOnlySpan<byte> body, SignatureVerifier signatures, DateTime enrolledAt)
    {
        EnrolRequest? request;
        byte[]? data = null,
            signature = null;
        if (body.StartsWith(ByteOrderMark))
            body = body[ByteOrderMark.Length..];
        try
        {
            using var document = JsonDocument.Parse(body.ToArray());
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return Wrong("The body is no JSON object.");
            if (root.TryGetProperty("data", out var signed))
            {
                if (
                    !root.TryGetProperty("signature", out var text)
                    || text.ValueKind != JsonValueKind.String
                    || !text.TryGetBytesFromBase64(out signature)
                )
                    return Wrong("The signature is missing or not base64.");
                if (signed.ValueKind != JsonValueKind.Object)
                    return Wrong("data is no JSON object.");
                data = System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(signed).ToArray();
            }
            request = JsonSerializer.Deserialize(data ?? body, VerifierJson.Default.EnrolRequest);
        }
        catch (JsonException exception)
        {
            return Wrong($"The body is not as expected: {exception.Message}");
        }

        if (request is null || !IsName(request.FactoryId))
            return Wrong("factory_id is missing or no id: 1 to 128 characters, none of them a control character.");
        if (request.FactoryId == FactoryStream.Contracts.MessageHeaders.LedgerUnknown)
            return Wrong("No factory can be called unknown: that is what the ledger calls those without a key.");
        if (request.PublicKey is null)
            return Wrong("public_key is missing.");
        if (!RsaPublicKey.TryParsePem(request.PublicKey, out var publicKey, out var error))
            return Wrong(error);
        var notBefore = Microseconds(request.NotBefore);
        var notAfter = Microseconds(request.NotAfter);
        if (!IsBounded(notBefore) || !IsBounded(notAfter))
            return Wrong("not_before and not_after must be in 1970 to 9999.");
        if (notAfter <= notBefore)
            return Wrong("not_after is not after not_before: the key would never be valid.");
        if (data is not null)
        {
            Span<bool> valid = stackalloc bool[1];
            signatures.Verify([new SignatureCheck(publicKey, data, signature)], valid);
            if (!valid[0])
                return Wrong("The signature is not of this key: possession is not proved.");
        }
        return new(
            new SigningKey(SigningKey.IdOf(request.FactoryId!, publicKey), request.FactoryId!, publicKey, enrolledAt, notBefore, notAfter),
            null
        );
    }

    /// <summary>PostgreSQL keeps no finer times, and a repeat must compare equal.</summary>
    public static DateTime? Microseconds(DateTimeOffset? time) =>
        time is { } given ? new DateTime(given.UtcTicks - given.UtcTicks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc) : null;

    /// <summary>
    /// 1970 to 9999, or none: no reading is measured outside them, and the extremes that a client may write for "never" and "ever" are
    /// infinities to PostgreSQL.
    /// </summary>
    public static bool IsBounded(DateTime? time) => time is null || time >= DateTime.UnixEpoch;

    private static bool IsName(string? name)
    {
        if (name is not { Length: > 0 and <= FactoryStream.Contracts.ReadingParser.MaxNameLength })
            return false;
        for (var i = 0; i < name.Length; i++)
        {
            if (
                char.IsControl(name[i]) || (char.IsSurrogate(name[i]) && !(i + 1 < name.Length && char.IsSurrogatePair(name[i], name[++i])))
            )
                return false;
        }
        return true;
    }

    private static Enrolment Wrong(string why) => new(null, why);
}
