using System.Numerics;
using System.Security.Cryptography;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Tests.Signatures;

/// <summary>
/// A key pair of any size and exponent, which .NET's own key generation does not offer, made and used with plain arithmetic.
/// </summary>
internal sealed class RawKeyPair
{
    private readonly BigInteger _modulus,
        _privateExponent;

    public RawKeyPair(int bits, ulong exponent, int seed)
    {
        var random = new Random(seed);
        BigInteger p,
            q;
        do
        {
            p = Prime((bits + 1) / 2, exponent, random);
            q = Prime(bits / 2, exponent, random);
            _modulus = p * q;
        } while (_modulus.GetBitLength() != bits);
        _privateExponent = Inverse(exponent, (p - 1) * (q - 1));
        Key = TestKeys.Public(
            TestKeys.Pem(
                _modulus.ToByteArray(isUnsigned: true, isBigEndian: true),
                new BigInteger(exponent).ToByteArray(isUnsigned: true, isBigEndian: true)
            )
        );
    }

    public RsaPublicKey Key { get; }

    public byte[] Sign(byte[] data, int saltLength)
    {
        var message = new byte[Key.SignatureLength];
        EmsaPss.Encode(message, Key.KeySizeBits, SHA256.HashData(data), RandomNumberGenerator.GetBytes(saltLength));
        return TestKeys.Bytes(BigInteger.ModPow(TestKeys.Number(message), _privateExponent, _modulus), Key.SignatureLength);
    }

    private static BigInteger Prime(int bits, ulong exponent, Random random)
    {
        var bytes = new byte[(bits + 7) / 8];
        while (true)
        {
            random.NextBytes(bytes);
            var candidate = TestKeys.Number(bytes) % (BigInteger.One << (bits - 2)) + (new BigInteger(3) << (bits - 2)) | 1;
            if (
                SmallPrimes.All(prime => candidate % prime != 0)
                && BigInteger.GreatestCommonDivisor(candidate - 1, exponent).IsOne
                && BigInteger.ModPow(2, candidate - 1, candidate).IsOne
            )
                return candidate;
        }
    }

    private static readonly int[] SmallPrimes =
    [
        .. Enumerable.Range(3, 2000).Where(n => n % 2 == 1 && Enumerable.Range(3, 42).Where(d => d < n).All(d => n % d != 0)),
    ];

    private static BigInteger Inverse(BigInteger value, BigInteger modulus)
    {
        BigInteger a = modulus,
            b = value,
            x = 0,
            y = 1;
        while (b != 0)
        {
            (var quotient, (a, b)) = (a / b, (b, a % b));
            (x, y) = (y, x - quotient * y);
        }

        return x < 0 ? x + modulus : x;
    }
}
