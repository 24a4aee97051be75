namespace FactoryStream.Contracts;

/// <summary>
/// The Verifier's decision on a signed reading: accepted, or one reason out of this closed list. Counters, rows and answers use it alike.
/// </summary>
public enum Verdict : byte
{
    /// <summary>Well formed, signed with a valid key of its factory, and of a time that can be.</summary>
    Accepted = 0,

    /// <summary>
    /// Not an envelope with a flat reading: broken JSON, a missing or doubled member, a metric that is no number, a timestamp that is no
    /// time, a signature that is not base64.
    /// </summary>
    Malformed = 1,

    /// <summary>Longer than the line limit; only its beginning is kept.</summary>
    TooLarge = 2,

    /// <summary>The factory has no such signing key, or none at all.</summary>
    UnknownKey = 3,

    /// <summary>No signing key of the factory verifies these bytes.</summary>
    BadSignature = 4,

    /// <summary>Measured outside the signing key's validity.</summary>
    KeyNotValid = 5,

    /// <summary>Measured at or after the moment from which the signing key is revoked.</summary>
    KeyRevoked = 6,

    /// <summary>Measured further in the future than the clock skew allowed.</summary>
    Future = 7,

    /// <summary>It would give its engine more names of metrics than are allowed.</summary>
    TooManyMetrics = 8,

    /// <summary>It would give its factory more engines than are allowed.</summary>
    TooManyEngines = 9,

    /// <summary>Measured before the earliest moment that is taken in, or longer ago than readings are kept.</summary>
    TooOld = 10,
}

/// <summary>The verdicts' names on the wire, in tables and in metrics.</summary>
public static class VerdictNames
{
    private static readonly string[] Names =
    [
        "accepted",
        "malformed",
        "too_large",
        "unknown_key",
        "bad_signature",
        "key_not_valid",
        "key_revoked",
        "future",
        "too_many_metrics",
        "too_many_engines",
        "too_old",
    ];

    /// <summary>The verdict in snake_case, e.g. <c>bad_signature</c>.</summary>
    public static string ToName(this Verdict verdict) => Names[(int)verdict];

    /// <summary>The verdict of a name, or false for a name that is none.</summary>
    public static bool TryParse(string name, out Verdict verdict)
    {
        var index = Array.IndexOf(Names, name);
        verdict = (Verdict)Math.Max(index, 0);
        return index >= 0;
    }
}
