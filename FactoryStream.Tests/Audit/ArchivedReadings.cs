using System.Text;
using FactoryStream.Audit.Evidence;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Audit;

/// <summary>Readings as the database keeps them, and an audit by the key that signed them.</summary>
internal static class ArchivedReadings
{
    public static readonly DateTime Noon = new(2026, 2, 25, 12, 0, 0, DateTimeKind.Utc);

    public static ArchivedReading Signed(ReadingSigner signer, string engine, int second, string? data = null)
    {
        data ??= $$"""{"factory_id": "f", "engine_id": "{{engine}}", "timestamp": "2026-02-25 12:00:{{second:D2}}", "rpm": 1}""";
        var signature = new byte[512];
        return new ArchivedReading(
            "f",
            engine,
            Noon.AddSeconds(second),
            Noon.AddSeconds(second).AddMicroseconds(7),
            "k",
            data,
            signature[..signer.Sign(Encoding.UTF8.GetBytes(data), signature, SaltLength.Digest)]
        );
    }

    public static EvidenceAudit AuditWith(ReadingSigner signer)
    {
        Assert.True(RsaPublicKey.TryParsePem(signer.ExportPublicKeyPem(), out var key, out _));
        return new EvidenceAudit([new PublicKey(key, "k", "f")]);
    }
}
