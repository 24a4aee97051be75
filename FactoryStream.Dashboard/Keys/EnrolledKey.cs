using FactoryStream.Dashboard.Locales;

namespace FactoryStream.Dashboard.Keys;

/// <summary>A signing key as the Verifier tells it.</summary>
/// <param name="KeyId">The key's id.</param>
/// <param name="FactoryId">The factory whose key it is.</param>
/// <param name="KeySizeBits">Size of its modulus.</param>
/// <param name="NotBefore">Validity's start, inclusive; null: no bound.</param>
/// <param name="NotAfter">Validity's end, exclusive; null: no bound.</param>
/// <param name="EnrolledAt">When it was enrolled.</param>
/// <param name="RevokedAt">What is measured at or after this is rejected; null: not revoked.</param>
public sealed record EnrolledKey(
    string KeyId,
    string FactoryId,
    int KeySizeBits,
    DateTime? NotBefore,
    DateTime? NotAfter,
    DateTime EnrolledAt,
    DateTime? RevokedAt
)
{
    /// <summary>What was measured until then is this key's, whichever end comes first; null: there is none.</summary>
    public DateTime? Until => RevokedAt < NotAfter || NotAfter is null ? RevokedAt : NotAfter;

    /// <summary>Whether it is valid, in words.</summary>
    public string State(DateTime now) =>
        RevokedAt <= now ? $"revoked since {Minute(RevokedAt)}"
        : NotAfter <= now ? $"expired since {Minute(NotAfter)}"
        : NotBefore > now ? $"not yet valid, from {Minute(NotBefore)}"
        : Until is { } end ? $"valid until {Minute(end)}"
        : "valid";

    /// <summary>Its validity in words, for whoever does not see the bar.</summary>
    public string Validity =>
        (NotBefore, Until) switch
        {
            (null, null) => "without bounds",
            ({ } start, null) => $"from {Minute(start)}",
            (null, { } end) => $"until {Minute(end)}",
            ({ } start, { } end) => $"from {Minute(start)} until {Minute(end)}",
        };

    private static string Minute(DateTime? time) => time is { } moment ? BrowserLocale.Minute(moment) : "";
}
