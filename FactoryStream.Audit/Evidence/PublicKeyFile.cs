using System.Security.Cryptography;
using System.Text.Json;
using FactoryStream.Signatures;

namespace FactoryStream.Audit.Evidence;

/// <summary>A public key as the Verifier publishes it; of a bare PEM only the key itself is known.</summary>
/// <param name="Key">The key itself.</param>
/// <param name="KeyId">Null: it has none, any envelope may be of it.</param>
/// <param name="FactoryId">Null: of any factory.</param>
/// <param name="NotBefore">First moment at which what is measured may be signed with it.</param>
/// <param name="NotAfter">End of that.</param>
/// <param name="RevokedAt">From when on it counts no more.</param>
internal sealed record PublicKey(
    RsaPublicKey Key,
    string? KeyId = null,
    string? FactoryId = null,
    DateTime? NotBefore = null,
    DateTime? NotAfter = null,
    DateTime? RevokedAt = null
);

/// <summary>Public keys out of a file: PEM blocks of keys and certificates, the base64 of one, or what <c>GET /keys</c> answers.</summary>
internal static class PublicKeyFile
{
    /// <exception cref="EvidenceException">There is no key in it, or something that is none.</exception>
    public static IReadOnlyList<PublicKey> Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EvidenceException($"{path} cannot be read: {exception.Message}", exception);
        }
        var keys = text.AsSpan().TrimStart() is ['{' or '[', ..] ? ReadJson(text, path) : ReadPem(text, path);
        return keys.Count > 0
            ? keys
            : throw new EvidenceException($"{path} holds no public key: PEM blocks or the answer of GET /keys are understood.");
    }

    private static List<PublicKey> ReadPem(string text, string path)
    {
        var keys = new List<PublicKey>();
        text = RsaPublicKey.NormalizeText(text);
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            keys.Add(new PublicKey(Parse(rest[fields.Location], path)));
            rest = rest[fields.Location.End..];
        }
        if (keys.Count == 0)
            keys.Add(
                new PublicKey(
                    RsaPublicKey.TryParsePem(text, out var key, out var error)
                        ? key
                        : throw new EvidenceException($"{path} holds no public key: {error}")
                )
            );
        return keys;
    }

    // Sample: {"keys": [{"key_id": "5f2c…", "factory_id": "factory_001", "public_key": "-----BEGIN PUBLIC KEY-----…",
    // "not_before": null, "not_after": null, "revoked_at": null}]}
    private static List<PublicKey> ReadJson(string text, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var list = document.RootElement;
            if (list.ValueKind == JsonValueKind.Object && list.TryGetProperty("keys", out var inner))
                list = inner;
            return
            [
                .. (list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().ToArray() : [list]).Select(key => ReadKey(key, path)),
            ];
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new EvidenceException($"{path} is no list of keys: {exception.Message}", exception);
        }
    }

    private static PublicKey ReadKey(JsonElement key, string path)
    {
        var pem = (key.TryGetProperty("public_key", out var named) ? named : key.GetProperty("public-key")).GetString();
        return new PublicKey(
            Parse(pem, path),
            Text("key_id"),
            Text("factory_id"),
            Time("not_before"),
            Time("not_after"),
            Time("revoked_at")
        );

        string? Text(string name) => key.TryGetProperty(name, out var value) ? value.GetString() : null;

        DateTime? Time(string name) =>
            key.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetDateTimeOffset().UtcDateTime : null;
    }

    private static RsaPublicKey Parse(ReadOnlySpan<char> pem, string path) =>
        RsaPublicKey.TryParsePem(pem, out var key, out var error) ? key : throw new EvidenceException($"{path}: {error}");
}
