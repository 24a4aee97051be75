namespace FactoryStream.Storage;

/// <summary>An enrolled RSA public key of one factory. The private key never leaves its factory.</summary>
public sealed class SigningKeyRow
{
    /// <summary>The small number that readings refer to.</summary>
    public int KeyNo { get; set; }

    /// <summary>Derived from factory and key, so that enrolling twice gives the same.</summary>
    public required string KeyId { get; set; }

    /// <summary>The factory whose readings it signs, 1 to 128 characters.</summary>
    public required string FactoryId { get; set; }

    /// <summary><c>RSASSA-PSS-SHA256</c>.</summary>
    public required string Algorithm { get; set; }

    /// <summary>The key as SubjectPublicKeyInfo (RFC 5280), DER.</summary>
    public required byte[] PublicKey { get; set; }

    /// <summary>Readings measured earlier are not this key's; null: no bound.</summary>
    public DateTime? NotBefore { get; set; }

    /// <summary>Readings measured at or after this are not this key's; null: no bound.</summary>
    public DateTime? NotAfter { get; set; }

    /// <summary>When it was enrolled, UTC.</summary>
    public DateTime EnrolledAt { get; set; }

    /// <summary>What was measured at or after this moment is rejected; what was measured before stays valid. Null: not revoked.</summary>
    public DateTime? RevokedAt { get; set; }
}
