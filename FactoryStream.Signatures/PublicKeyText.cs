using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace FactoryStream.Signatures;

/// <summary>
/// The DER of an RSA public key, out of any text that people and programs hand such a key on in. Samples:
/// <c>-----BEGIN CERTIFICATE-----…</c>, <c>MIIBIjANBgkqhkiG9w0B…</c>,
/// <c>-----BEGIN PUBLIC KEY-----\nMIIB…\n-----END PUBLIC KEY-----</c> with a backslash and an n each.
/// Its errors never repeat a part of the text: it may be a private key.
/// </summary>
internal static class PublicKeyText
{
    public const string PrivateKey = "This is a private key: keep it in the factory and send the public key.";

    private const string Expected = "expected -----BEGIN PUBLIC KEY----- or a certificate, or the base64 of a key's DER.";

    private const string RsaEncryption = "1.2.840.113549.1.1.1",
        RsaPss = "1.2.840.113549.1.1.10",
        Mgf1 = "1.2.840.113549.1.1.8",
        Sha256 = "2.16.840.1.101.3.4.2.1";

    /// <summary>Without byte order marks, and with real line breaks for those that a configuration file or a shell left as
    /// <c>\n</c>.</summary>
    public static string Normalize(ReadOnlySpan<char> text)
    {
        var normal = text.ToString().Replace('\uFEFF', '\n');
        return normal.Contains('\\')
            ? normal.Replace("\\r", "", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal)
            : normal;
    }

    /// <summary>The two numbers of the one key in a text, big-endian and without leading zeros; or why there is none.</summary>
    public static bool TryRead(string text, out byte[] modulus, out byte[] exponent, [NotNullWhen(false)] out string? error)
    {
        (modulus, exponent) = ([], []);
        error = TryFind(text, out var der, out var what);
        if (error is not null)
            return false;
        if (IsPrivateKey(der))
        {
            error = PrivateKey;
            return false;
        }
        try
        {
            (modulus, exponent) = ReadKey(der, what);
            return true;
        }
        catch (RestrictedKeyException exception)
        {
            error = exception.Message;
        }
        catch (AsnContentException)
        {
            error = what switch
            {
                "CERTIFICATE" => "The certificate does not hold an RSA public key.",
                null => "The base64 does not hold an RSA public key.",
                _ => "The PEM block does not hold an RSA public key.",
            };
        }
        return false;
    }

    /// <param name="text">As <see cref="Normalize"/> leaves it.</param>
    /// <param name="der">The DER that was found in the text.</param>
    /// <param name="what">Its kind; null: what it holds must tell.</param>
    /// <returns>What is wrong, in words for a person; null when nothing is.</returns>
    private static string? TryFind(string text, out byte[] der, out string? what)
    {
        der = [];
        what = null;
        var hasPrivateKey = HasPrivateKeyArmour(text);
        if (!PemEncoding.TryFind(text, out var fields))
        {
            if (hasPrivateKey)
                return PrivateKey;
            if (text.Contains("-----BEGIN ", StringComparison.Ordinal))
                return "The PEM block is not whole, or not valid base64.";
            return TryDecode(text, out der) ? null
                : IsOpenSshPrivateKey(der) ? PrivateKey
                : $"No PEM block was found; {Expected}";
        }

        if (PemEncoding.TryFind(text.AsSpan(fields.Location.End.GetOffset(text.Length)), out _))
        {
            return hasPrivateKey
                ? $"More than one PEM block was found. {PrivateKey}"
                : "More than one PEM block was found; send the public key alone.";
        }
        if (hasPrivateKey)
            return PrivateKey;
        what = text[fields.Label] is "X509 CERTIFICATE" ? "CERTIFICATE" : text[fields.Label];
        if (what is not ("PUBLIC KEY" or "RSA PUBLIC KEY" or "CERTIFICATE"))
            return "PEM block: expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE, found another kind.";
        der = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64Chars(text.AsSpan(fields.Base64Data), der, out var length) && length == der.Length
            ? null
            : "The PEM block is not valid base64.";
    }

    /// <summary>PEM of any kind, RFC 4716 as ssh-keygen exports it, or PuTTY's own; whole or cut off.</summary>
    private static bool HasPrivateKeyArmour(string text)
    {
        for (
            var at = text.IndexOf("BEGIN ", StringComparison.Ordinal);
            at >= 0;
            at = text.IndexOf("BEGIN ", at + 1, StringComparison.Ordinal)
        )
        {
            var line = text.AsSpan(at);
            if (line.IndexOfAny("\r\n") is >= 0 and var end)
                line = line[..end];
            if (line.IndexOf("--", StringComparison.Ordinal) is >= 0 and var dashes)
                line = line[..dashes];
            if (line.Contains("PRIVATE KEY", StringComparison.Ordinal))
                return true;
        }
        return text.Contains("PuTTY-User-Key-File-", StringComparison.Ordinal) || text.Contains("Private-Lines:", StringComparison.Ordinal);
    }

    /// <summary>Base64 or base64url, with or without padding and line breaks.</summary>
    private static bool TryDecode(string text, out byte[] der)
    {
        var digits = new StringBuilder(text.Length + 2);
        foreach (var character in text)
        {
            if (!char.IsWhiteSpace(character) && character != '=')
                digits.Append(
                    character switch
                    {
                        '-' => '+',
                        '_' => '/',
                        _ => character,
                    }
                );
        }
        digits.Append('=', (4 - digits.Length % 4) % 4);
        der = new byte[digits.Length / 4 * 3];
        var isBase64 = Convert.TryFromBase64String(digits.ToString(), der, out var length);
        der = der[..length];
        // Everything that is meant begins as an ASN.1 SEQUENCE; a word of four letters is base64, too.
        return isBase64 && der is [0x30, _, _, ..];
    }

    private static bool IsOpenSshPrivateKey(ReadOnlySpan<byte> bytes) => bytes.StartsWith("openssh-key-v1\0"u8);

    /// <summary>
    /// PKCS #1 and SEC 1 begin with a version and a number or an octet string, PKCS #8 and PKCS #12 with a version and a sequence, an
    /// encrypted PKCS #8 is an algorithm and an octet string.
    /// </summary>
    private static bool IsPrivateKey(byte[] der)
    {
        if (IsOpenSshPrivateKey(der))
            return true;
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
            var first = outer.PeekTag();
            var content = outer.ReadEncodedValue();
            var second = outer.PeekTag();
            if (first == Asn1Tag.Sequence)
                return second.HasSameClassAndValue(Asn1Tag.PrimitiveOctetString)
                    && new AsnReader(content, AsnEncodingRules.BER).ReadSequence().PeekTag() == Asn1Tag.ObjectIdentifier;
            if (first != Asn1Tag.Integer)
                return false;
            outer.ReadEncodedValue();
            // A public key of PKCS #1 ends with its second number.
            return second != Asn1Tag.Integer || outer.HasData;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>
    /// <c>RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }</c> (RFC 8017 A.1.1), by itself, in
    /// <c>SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { OID, parameters }, BIT STRING }</c>, or that in a certificate (RFC 5280 4.1).
    /// Magnitudes without leading zeros.
    /// </summary>
    private static (byte[] Modulus, byte[] Exponent) ReadKey(byte[] der, string? what)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        if (what is "CERTIFICATE" || (what is null && IsCertificate(der)))
            reader = new AsnReader(ReadCertificate(reader), AsnEncodingRules.DER);
        if (what is "PUBLIC KEY" or "CERTIFICATE" || (what is null && FirstTag(reader) == Asn1Tag.Sequence))
        {
            var info = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            ReadAlgorithm(info.ReadSequence());
            reader = new AsnReader(info.ReadBitString(out _), AsnEncodingRules.DER);
            info.ThrowIfNotEmpty();
        }

        var key = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var modulus = key.ReadInteger();
        var exponent = key.ReadInteger();
        key.ThrowIfNotEmpty();
        if (modulus.Sign <= 0 || exponent.Sign <= 0)
            throw new AsnContentException("A number is not positive.");
        return (modulus.ToByteArray(isUnsigned: true, isBigEndian: true), exponent.ToByteArray(isUnsigned: true, isBigEndian: true));
    }

    private static Asn1Tag FirstTag(AsnReader reader) => new AsnReader(reader.PeekContentBytes(), AsnEncodingRules.DER).PeekTag();

    private static bool IsCertificate(byte[] der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        if (outer.PeekTag() != Asn1Tag.Sequence)
            return false;
        outer.ReadEncodedValue();
        return outer.HasData && outer.PeekTag() == Asn1Tag.Sequence;
    }

    /// <summary>Its SubjectPublicKeyInfo. Who signed it and until when is not asked: who may enrol vouches for the key, and its validity is
    /// said at enrolment.</summary>
    private static ReadOnlyMemory<byte> ReadCertificate(AsnReader reader)
    {
        var certificate = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var signed = certificate.ReadSequence();
        if (signed.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 0)))
            signed.ReadEncodedValue();
        // Serial number, algorithm, issuer, validity, subject.
        for (var i = 0; i < 5; i++)
            signed.ReadEncodedValue();
        return signed.ReadEncodedValue();
    }

    private static void ReadAlgorithm(AsnReader algorithm)
    {
        var oid = algorithm.ReadObjectIdentifier();
        if (oid == RsaPss)
        {
            if (algorithm.HasData)
                CheckRestrictions(algorithm.ReadSequence());
        }
        else if (oid == RsaEncryption)
        {
            if (algorithm.HasData)
                algorithm.ReadNull();
        }
        else
        {
            throw new AsnContentException("Another algorithm than RSA.");
        }
        algorithm.ThrowIfNotEmpty();
    }

    /// <summary>
    /// <c>RSASSA-PSS-params ::= SEQUENCE { [0] hash DEFAULT sha1, [1] mask DEFAULT mgf1SHA1, [2] salt DEFAULT 20, [3] trailer DEFAULT 1
    /// }</c> (RFC 8017 A.2.3): a key that may only sign otherwise
    /// would never verify here.
    /// </summary>
    private static void CheckRestrictions(AsnReader parameters)
    {
        string? hash = null,
            mask = null,
            maskHash = null;
        while (parameters.HasData)
        {
            var tag = parameters.PeekTag();
            if (tag.TagClass != TagClass.ContextSpecific)
                throw new AsnContentException("Parameters of another kind.");
            var value = parameters.ReadSequence(tag);
            if (tag.TagValue is 0 or 1)
            {
                var algorithm = value.ReadSequence();
                var oid = algorithm.ReadObjectIdentifier();
                (hash, mask) = tag.TagValue == 0 ? (oid, mask) : (hash, oid);
                if (tag.TagValue == 1)
                    maskHash = algorithm.ReadSequence().ReadObjectIdentifier();
            }
        }
        if ((hash, mask, maskHash) != (Sha256, Mgf1, Sha256))
            throw new RestrictedKeyException(
                "The key is made for RSASSA-PSS with another hash than SHA-256, or without MGF1-SHA-256: no signature of it would "
                    + "be accepted."
            );
    }

    private sealed class RestrictedKeyException(string message) : Exception(message);
}
