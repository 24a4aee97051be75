using System.Security.Claims;
using FactoryStream.ServiceDefaults.Http;

namespace FactoryStream.Dashboard.Access;

/// <summary>Whoever has one of the tokens of the settings.</summary>
internal static class TokenHolder
{
    // In the cookie, which only the Dashboard can read: a token that is replaced ends the sign-ins with it.
    private const string DigestClaim = "token_sha256";

    /// <summary>The holder of a token, with its role; null: it is none of the settings'.</summary>
    public static ClaimsPrincipal? Find(AccessOptions options, string token)
    {
        ClaimsPrincipal? found = null;
        // All of them are compared, so that the time tells nothing; of two that are equal the first, higher one counts.
        foreach (var (expected, role, name) in options.Tokens)
        {
            if (BearerToken.IsRight(token, expected))
                found ??= Roles.Principal(name, role, new Claim(DigestClaim, Convert.ToHexStringLower(BearerToken.Digest(token))));
        }
        return found;
    }

    /// <summary>Whether what somebody signed in with still holds: a token of the settings with the same role, or the provider.</summary>
    public static bool IsCurrent(AccessOptions options, ClaimsPrincipal user) =>
        user.FindFirstValue(DigestClaim) is not { } digest
            ? options.Authority is not null
            : options.Tokens.Any(token =>
                token.Token is { Length: > 0 } text
                && token.Role == Roles.Of(user)
                && Convert.ToHexStringLower(BearerToken.Digest(text)) == digest
            );
}
