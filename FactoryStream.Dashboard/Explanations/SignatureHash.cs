using System.Security.Cryptography;

namespace FactoryStream.Dashboard.Explanations;

/// <summary>A hash function that machines sign with, wanted or not.</summary>
/// <param name="Name">The function.</param>
/// <param name="Length">Bytes of its digest.</param>
/// <param name="DigestInfo">What stands before the digest in RSASSA-PKCS1-v1_5 (RFC 8017, 9.2, note 1).</param>
/// <param name="Cause">What it is to sign with it; null: it is as it should be.</param>
/// <param name="MaskCause">What it is to use it in MGF1 where the signature's own hash is another.</param>
internal sealed record SignatureHash(HashAlgorithmName Name, int Length, byte[] DigestInfo, SignatureCause? Cause, SignatureCause MaskCause)
{
    public static readonly IReadOnlyList<SignatureHash> All =
    [
        Sha2(HashAlgorithmName.SHA256, 32, 0x01, null, SignatureCause.Mgf1Sha256),
        new(
            HashAlgorithmName.SHA1,
            20,
            [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14],
            SignatureCause.Sha1,
            SignatureCause.Mgf1Sha1
        ),
        Sha2(HashAlgorithmName.SHA384, 48, 0x02, SignatureCause.Sha384, SignatureCause.Mgf1Sha384),
        Sha2(HashAlgorithmName.SHA512, 64, 0x03, SignatureCause.Sha512, SignatureCause.Mgf1Sha512),
    ];

    public byte[] Digest(ReadOnlySpan<byte> bytes) => CryptographicOperations.HashData(Name, bytes);

    /// <summary>The functions of FIPS 180-4, whose object identifiers differ in their last number alone.</summary>
    private static SignatureHash Sha2(HashAlgorithmName name, byte length, byte number, SignatureCause? cause, SignatureCause maskCause) =>
        new(
            name,
            length,
            [
                0x30,
                (byte)(length + 17),
                0x30,
                0x0d,
                0x06,
                0x09,
                0x60,
                0x86,
                0x48,
                0x01,
                0x65,
                0x03,
                0x04,
                0x02,
                number,
                0x05,
                0x00,
                0x04,
                length,
            ],
            cause,
            maskCause
        );
}
