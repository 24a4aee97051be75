using System.Globalization;
using System.Text;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Verification;

namespace FactoryStream.Tests.Verifier;

/// <summary>Key pairs, made once for all tests (one takes a tenth of a second), and what is signed with them.</summary>
internal static class Factories
{
    public static readonly DateTime Noon = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly Lazy<ReadingSigner[]> Pairs = new(() =>
        [ReadingSigner.Create(), ReadingSigner.Create(), ReadingSigner.Create(3072)]
    );

    public static ReadingSigner Signer(int pair) => Pairs.Value[pair];

    public static RsaPublicKey PublicKey(int pair)
    {
        Assert.True(RsaPublicKey.TryParsePem(Signer(pair).ExportPublicKeyPem(), out var key, out var error), error);
        return key;
    }

    /// <summary>A key of a factory, enrolled a day before noon unless said otherwise.</summary>
    public static SigningKey Key(
        string factoryId,
        int pair,
        DateTime? enrolledAt = null,
        DateTime? notBefore = null,
        DateTime? notAfter = null,
        DateTime? revokedAt = null
    )
    {
        var publicKey = PublicKey(pair);
        return new(
            SigningKey.IdOf(factoryId, publicKey),
            factoryId,
            publicKey,
            enrolledAt ?? Noon.AddDays(-1),
            notBefore,
            notAfter,
            revokedAt
        );
    }

    public static byte[] Sign(
        int pair,
        string factoryId,
        DateTime measuredAt,
        string? keyId = null,
        double rpm = 3000,
        SaltLength salt = SaltLength.Digest,
        string engineId = "e1"
    )
    {
        var data = string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"factory_id\":\"{factoryId}\",\"engine_id\":\"{engineId}\""
                + $",\"timestamp\":\"{measuredAt:yyyy-MM-dd HH:mm:ss.ffffff}\",\"rpm\":{rpm}}}"
        );
        var signature = new byte[Signer(pair).SignatureLength];
        Signer(pair).Sign(Encoding.UTF8.GetBytes(data), signature, salt);
        var named = keyId is null ? "" : $",\"key_id\":\"{keyId}\"";
        return Encoding.UTF8.GetBytes($"{{\"data\":{data},\"signature\":\"{Convert.ToBase64String(signature)}\"{named}}}");
    }

    /// <summary>A batch of several engines' readings, at the given times; the array is spread over lines if asked.</summary>
    public static byte[] SignBatch(
        int pair,
        string factoryId,
        IEnumerable<(string EngineId, DateTime MeasuredAt)> readings,
        string? keyId = null,
        string separator = ", "
    )
    {
        var array =
            "["
            + string.Join(
                separator,
                readings.Select(reading =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{{\"factory_id\":\"{factoryId}\",\"engine_id\":\"{reading.EngineId}\""
                            + $",\"timestamp\":\"{reading.MeasuredAt:yyyy-MM-dd HH:mm:ss.ffffff}\",\"rpm\":3000}}"
                    )
                )
            )
            + "]";
        var signature = new byte[Signer(pair).SignatureLength];
        Signer(pair).Sign(Encoding.UTF8.GetBytes(array), signature);
        var named = keyId is null ? "" : $",\"key_id\":\"{keyId}\"";
        return Encoding.UTF8.GetBytes($"{{\"batch\":{array},\"signature\":\"{Convert.ToBase64String(signature)}\"{named}}}");
    }

    /// <summary>Lines as the worker hands them to the verifier.</summary>
    public static CheckedLine[] Lines(DateTime receivedAt, params byte[][] lines) =>
        [.. lines.Select(line => new CheckedLine { Raw = line, ReceivedAt = receivedAt })];
}
