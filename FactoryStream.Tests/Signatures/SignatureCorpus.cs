using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Tests.Signatures;

/// <summary>
/// Endless triples of key, data and signature, valid ones and every kind of broken one. A few hundred are really signed; the rest are made
/// of these by what an attacker or a fault can do without the private key.
/// </summary>
internal sealed class SignatureCorpus
{
    private static readonly ConcurrentDictionary<int, Lazy<SignatureCorpus>> Signed = new();

    private readonly List<SignatureCheck> _signed;
    private readonly Random _random;

    /// <summary>What is signed is the same for all tests of a run: forging takes slow arithmetic with the private key.</summary>
    public SignatureCorpus(int bits, int seed)
    {
        _signed = Signed.GetOrAdd(bits, static bits => new(() => new SignatureCorpus(bits))).Value._signed;
        _random = new Random(seed);
    }

    private SignatureCorpus(int bits)
    {
        _signed = [];
        _random = new Random(bits);
        for (var number = 0; number < (bits == 2048 ? 5 : 2); number++)
        {
            var (signer, key) = TestKeys.Pair(bits, number);
            for (var i = 0; i < 64; i++)
            {
                var data = Data(i);
                var maximum = EmsaPss.MaximumSaltLength(bits);
                var salt = (i % 4) switch
                {
                    0 => 32,
                    1 => maximum,
                    2 => _random.Next(maximum + 1),
                    _ => i % 40,
                };
                var signature = new byte[key.SignatureLength];
                signer.Sign(data, signature, salt);
                _signed.Add(new(key, data, signature));
            }

            AddForged(signer, key);
        }
    }

    public static readonly string[] Kinds =
    [
        "as signed",
        "bit of the data",
        "bit of the signature",
        "byte of the signature",
        "data longer",
        "data shorter",
        "another's key",
        "another's signature",
        "signature cut",
        "signature longer",
        "leading zero lost",
        "signature + modulus",
        "negated",
        "zero",
        "one",
        "modulus - 1",
        "modulus",
        "all ones",
        "noise",
        "empty",
    ];

    public SignatureCheck Next(out string kind)
    {
        var original = _signed[_random.Next(_signed.Count)];
        var other = _signed[_random.Next(_signed.Count)];
        var (key, data, signature) = (original.Key, original.Data, original.Signature);
        var length = key.SignatureLength;
        var number = TestKeys.Number(signature.Span);
        // Half of all are left as they were signed.
        kind = Kinds[Math.Max(0, _random.Next(2 * Kinds.Length) - Kinds.Length + 1) % Kinds.Length];
        return kind switch
        {
            "as signed" => original,
            "bit of the data" => new(key, Changed(data, 1 << _random.Next(8)), signature),
            "bit of the signature" => new(key, data, Changed(signature, 1 << _random.Next(8))),
            "byte of the signature" => new(key, data, Changed(signature, _random.Next(1, 256))),
            "data longer" => new(key, (byte[])[.. data.Span, 0], signature),
            "data shorter" => new(key, data.IsEmpty ? new byte[1] : data[..^1], signature),
            "another's key" => new(other.Key, data, signature),
            "another's signature" => new(key, data, other.Signature),
            "signature cut" => new(key, data, signature[..^1]),
            "signature longer" => new(key, data, (byte[])[.. signature.Span, 0]),
            "leading zero lost" => new(key, data, signature.Span[0] == 0 ? signature[1..] : (byte[])[0, .. signature.Span]),
            "signature + modulus" => new(key, data, Fitting(number + key.ModulusValue, length)),
            "negated" => new(key, data, Fitting(key.ModulusValue - number, length)),
            "zero" => new(key, data, new byte[length]),
            "one" => new(key, data, Fitting(1, length)),
            "modulus - 1" => new(key, data, Fitting(key.ModulusValue - 1, length)),
            "modulus" => new(key, data, Fitting(key.ModulusValue, length)),
            "all ones" => new(key, data, Enumerable.Repeat((byte)0xFF, length).ToArray()),
            "noise" => new(key, data, Noise(length)),
            _ => new(key, data, default),
        };
    }

    /// <summary>Numbers of the wrong length stay wrong: also a question.</summary>
    private static byte[] Fitting(BigInteger number, int length) =>
        number.GetByteCount(isUnsigned: true) > length
            ? number.ToByteArray(isUnsigned: true, isBigEndian: true)
            : TestKeys.Bytes(number, length);

    /// <summary>Encodings that only the owner of the key can make, each with one rule of RFC 8017 9.1.2 broken.</summary>
    private void AddForged(ReadingSigner signer, RsaPublicKey key)
    {
        var length = key.SignatureLength;
        var maximum = EmsaPss.MaximumSaltLength(key.KeySizeBits);
        Action<byte[]>[] breaks =
        [
            _ => { },
            message => message[^1] = 0xBB,
            message => message[^1] = 0x00,
            message => message[^2] ^= 1,
            message => message[length - 33] ^= 0x80,
            message => message[0] ^= 0x40,
            message => message[5] ^= 1,
            message => message[length - 34] ^= 1,
            message => message[length - 34 - 32] ^= 1,
            message => message[length - 34 - 32] ^= 3,
            message => message[length - 34 - 33] ^= 1,
        ];
        foreach (var salt in key.KeySizeBits == 2048 ? new[] { 32, 0, maximum } : [32])
        {
            foreach (var change in breaks)
            {
                var data = Data(salt);
                var message = new byte[length];
                EmsaPss.Encode(message, key.KeySizeBits, SHA256.HashData(data), RandomNumberGenerator.GetBytes(salt));
                change(message);
                if (TestKeys.Number(message) >= key.ModulusValue)
                    continue;
                var signature = new byte[length];
                signer.SignRaw(message, signature);
                _signed.Add(new(key, data, signature));
            }
        }

        // The bit above emBits set: a number that is still below the modulus.
        var high = new byte[length];
        EmsaPss.Encode(high, key.KeySizeBits, SHA256.HashData([1]), new byte[32]);
        high[0] |= 0x80;
        if (TestKeys.Number(high) < key.ModulusValue)
        {
            var signature = new byte[length];
            signer.SignRaw(high, signature);
            _signed.Add(new(key, new byte[] { 1 }, signature));
        }
    }

    private byte[] Data(int i) =>
        Noise(
            (i % 16) switch
            {
                0 => 0,
                1 => 55,
                2 => 56,
                3 => 63,
                4 => 64,
                5 => 119,
                6 => 120,
                7 => 1079,
                8 => 1080,
                9 => 5000,
                _ => _random.Next(150, 400),
            }
        );

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Changed(ReadOnlyMemory<byte> bytes, int change)
    {
        var copy = bytes.IsEmpty ? [0, 0] : bytes.ToArray();
        copy[_random.Next(copy.Length)] ^= (byte)change;
        return copy;
    }
}
