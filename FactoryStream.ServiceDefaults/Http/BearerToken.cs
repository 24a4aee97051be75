using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace FactoryStream.ServiceDefaults.Http;

/// <summary>Tokens that clients send as <c>Authorization: Bearer</c>.</summary>
public static class BearerToken
{
    private const string Scheme = "Bearer ";

    /// <summary>The token of a request; null: it has none.</summary>
    /// <param name="request">The request as it came.</param>
    public static string? Of(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim() : null;
    }

    /// <summary>Whether the token is the expected one, which takes the same time whatever it is.</summary>
    /// <param name="token">What a client has sent.</param>
    /// <param name="expected">The token of the settings; null or empty: there is none, and so none is right.</param>
    public static bool IsRight(string token, string? expected) =>
        expected is { Length: > 0 } && CryptographicOperations.FixedTimeEquals(Digest(token), Digest(expected));

    /// <summary>The token's SHA-256. Digests are of one length, whatever the lengths of the tokens.</summary>
    /// <param name="token">Any text.</param>
    public static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
