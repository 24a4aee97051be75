using System.Numerics;

namespace FactoryStream.Dashboard.Explanations;

/// <summary>
/// What a signature says it is, read out of its number raised to the public exponent (RFC 8017, 9.1 and 9.2). Salts of any length are
/// taken, as the Verifier takes them. It says how something was signed, never that a reading is to be accepted.
/// </summary>
/// <param name="Hash">The function that the message was hashed with.</param>
/// <param name="Causes">What of this is not as it should be.</param>
/// <param name="Digest">The hash that is to come out.</param>
/// <param name="Salt">Of RSASSA-PSS the salt; null: RSASSA-PKCS1-v1_5, whose hash is the message's own.</param>
internal sealed record SignatureEncoding(SignatureHash Hash, IReadOnlyList<SignatureCause> Causes, byte[] Digest, byte[]? Salt)
{
    private const byte PssEnd = 0xbc;

    /// <summary>Whether it is over a message of this hash, by <see cref="Hash"/>.</summary>
    public bool IsOver(ReadOnlySpan<byte> messageHash) =>
        Salt is null
            ? messageHash.SequenceEqual(Digest)
            : Hash.Digest([.. new byte[8], .. messageHash, .. Salt]).AsSpan().SequenceEqual(Digest);

    /// <summary>All that the signature may be with this key; nothing where it is none of the key's.</summary>
    public static IEnumerable<SignatureEncoding> Read(ExplainedKey key, byte[] signature)
    {
        var number = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        if (signature.Length != key.SignatureLength || number >= key.Modulus)
            yield break;
        var power = BigInteger.ModPow(number, key.Exponent, key.Modulus).ToByteArray(isUnsigned: true, isBigEndian: true);
        var encoded = new byte[key.SignatureLength];
        power.CopyTo(encoded, encoded.Length - power.Length);
        if (ReadPkcs1(encoded) is { } pkcs1)
            yield return pkcs1;
        foreach (var pss in ReadPss(encoded, key.ModulusBits - 1))
            yield return pss;
    }

    /// <summary><c>00 01 FF…FF 00 DigestInfo digest</c></summary>
    private static SignatureEncoding? ReadPkcs1(byte[] encoded)
    {
        foreach (var hash in SignatureHash.All)
        {
            var padding = encoded.Length - 3 - hash.DigestInfo.Length - hash.Length;
            byte[] head = [0, 1, .. Enumerable.Repeat((byte)0xff, Math.Max(8, padding)), 0, .. hash.DigestInfo];
            if (encoded.AsSpan().StartsWith(head) && encoded.Length == head.Length + hash.Length)
                return new(
                    hash,
                    hash.Cause is null ? [SignatureCause.Pkcs1] : [SignatureCause.Pkcs1, hash.Cause],
                    encoded[head.Length..],
                    null
                );
        }
        return null;
    }

    /// <summary><c>masked(00…00 01 salt) hash BC</c>, the first bits of which are not used.</summary>
    private static IEnumerable<SignatureEncoding> ReadPss(byte[] encoded, int bits)
    {
        if (encoded[^1] != PssEnd)
            yield break;
        var whole = encoded[^((bits + 7) / 8)..];
        foreach (var hash in SignatureHash.All)
        {
            var digest = whole[^(hash.Length + 1)..^1];
            foreach (var mask in SignatureHash.All)
            {
                var block = whole[..^(hash.Length + 1)];
                Unmask(block, digest, mask);
                block[0] &= (byte)(0xff >> (8 * whole.Length - bits));
                var start = block.AsSpan().IndexOfAnyExcept((byte)0);
                if (start < 0 || block[start] != 1)
                    continue;
                var maskCause = ReferenceEquals(mask, hash) ? null : mask.MaskCause;
                yield return new(hash, [.. new[] { hash.Cause, maskCause }.OfType<SignatureCause>()], digest, block[(start + 1)..]);
            }
        }
    }

    /// <summary>MGF1 (RFC 8017, B.2.1).</summary>
    private static void Unmask(Span<byte> block, byte[] seed, SignatureHash mask)
    {
        byte[] counted = [.. seed, 0, 0, 0, 0];
        for (var at = 0; at < block.Length; at += mask.Length)
        {
            var digest = mask.Digest(counted);
            for (var i = 0; i < mask.Length && at + i < block.Length; i++)
                block[at + i] ^= digest[i];
            counted[^1]++;
        }
    }
}
