using FactoryStream.Signatures.Backends;

namespace FactoryStream.Signatures;

/// <summary>
/// SHA-256 without what <see cref="System.Security.Cryptography.SHA256"/> costs a call, which is twice the hash of a reading.
/// </summary>
public static class Sha256Digests
{
    /// <summary>The length of one digest in bytes.</summary>
    public const int DigestLength = 32;

    /// <summary>Writes the 32 bytes of the input's digest.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="digest"/> is too short.</exception>
    public static void Hash(ReadOnlySpan<byte> input, Span<byte> digest) => SingleCheck.Hash(input, digest);

    /// <summary>Writes the digest of <c>inputs[i]</c> to the 32 bytes of <paramref name="digests"/> from <c>32 * i</c> on.</summary>
    /// <exception cref="ArgumentException"><paramref name="digests"/> is too short.</exception>
    public static void Hash(ReadOnlySpan<ReadOnlyMemory<byte>> inputs, Span<byte> digests)
    {
        if (digests.Length / DigestLength < inputs.Length)
            throw new ArgumentException("32 bytes are needed for each input.", nameof(digests));
        for (var i = 0; i < inputs.Length; i++)
        {
            var digest = digests.Slice(i * DigestLength, DigestLength);
            SingleCheck.Hash(inputs[i].Span, digest);
        }
    }
}
