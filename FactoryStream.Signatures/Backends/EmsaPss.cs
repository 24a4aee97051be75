namespace FactoryStream.Signatures.Backends;

/// <summary>EMSA-PSS of RFC 8017 9.1 with SHA-256 and MGF1-SHA-256, one message at a time.</summary>
internal static class EmsaPss
{
    public const int HashLength = 32;

    /// <summary>The longest salt that fits: the encoding holds the salt, the hash, 0x01 before the salt and 0xBC at the end.</summary>
    public static int MaximumSaltLength(int keySizeBits) => EncodedLength(keySizeBits) - HashLength - 2;

    /// <summary>emLen: one byte less than the modulus where its size is 1 mod 8.</summary>
    public static int EncodedLength(int keySizeBits) => (keySizeBits - 1 + 7) / 8;

    /// <summary>
    /// RFC 8017 9.1.2, for a salt of any length. <paramref name="message"/> is the signature to the power of e, as long as the modulus.
    /// </summary>
    public static bool Verify(ReadOnlySpan<byte> message, int keySizeBits, ReadOnlySpan<byte> dataHash)
    {
        var length = EncodedLength(keySizeBits);
        if (message.Length > length && message[0] != 0)
            return false;
        var encoded = message[^length..];
        var unusedBits = 8 * length - (keySizeBits - 1);
        if (encoded[^1] != 0xBC || encoded[0] >> (8 - unusedBits) != 0)
            return false;

        var hash = encoded.Slice(length - HashLength - 1, HashLength);
        Span<byte> block = stackalloc byte[length - HashLength - 1];
        Mask(block, hash);
        for (var i = 0; i < block.Length; i++)
            block[i] ^= encoded[i];
        block[0] &= (byte)(0xFF >> unusedBits);

        var one = block.IndexOfAnyExcept((byte)0);
        if (one < 0 || block[one] != 1)
            return false;
        Span<byte> expected = stackalloc byte[HashLength];
        SaltedHash(dataHash, block[(one + 1)..], expected);
        return expected.SequenceEqual(hash);
    }

    /// <summary>RFC 8017 9.1.1: writes the encoding, as long as the modulus, with the given salt.</summary>
    public static void Encode(Span<byte> message, int keySizeBits, ReadOnlySpan<byte> dataHash, ReadOnlySpan<byte> salt)
    {
        var length = EncodedLength(keySizeBits);
        message.Clear();
        var encoded = message[^length..];
        var block = encoded[..(length - HashLength - 1)];
        var hash = encoded.Slice(length - HashLength - 1, HashLength);
        SaltedHash(dataHash, salt, hash);
        Mask(block, hash);
        block[^(salt.Length + 1)] ^= 1;
        for (var i = 0; i < salt.Length; i++)
            block[block.Length - salt.Length + i] ^= salt[i];
        block[0] &= (byte)(0xFF >> (8 * length - (keySizeBits - 1)));
        encoded[^1] = 0xBC;
    }

    /// <summary>H = SHA-256(eight zero bytes, hash of the data, salt).</summary>
    private static void SaltedHash(ReadOnlySpan<byte> dataHash, ReadOnlySpan<byte> salt, Span<byte> hash)
    {
        Span<byte> input = stackalloc byte[8 + HashLength + salt.Length];
        input[..8].Clear();
        dataHash.CopyTo(input[8..]);
        salt.CopyTo(input[(8 + HashLength)..]);
        SingleCheck.Hash(input, hash);
    }

    /// <summary>MGF1 (RFC 8017 B.2.1).</summary>
    private static void Mask(Span<byte> mask, ReadOnlySpan<byte> seed)
    {
        Span<byte> input = stackalloc byte[HashLength + 4];
        Span<byte> output = stackalloc byte[HashLength];
        seed.CopyTo(input);
        input[HashLength..].Clear();
        for (var done = 0; done < mask.Length; done += HashLength)
        {
            input[^1] = (byte)(done / HashLength); // 4096 bits need 15 blocks: one byte of the counter is enough
            SingleCheck.Hash(input, output);
            output[..Math.Min(HashLength, mask.Length - done)].CopyTo(mask[done..]);
        }
    }
}
