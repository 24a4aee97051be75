using System.Numerics;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Tests.Signatures;

/// <summary>The powers that the vectorised backends compute against plain arithmetic.</summary>
public sealed class BackendPowerTests
{
    [SkippableTheory]
    [InlineData("avx512", 2048, 40)]
    [InlineData("avx512", 3072, 12)]
    [InlineData("avx512", 4096, 8)]
    [InlineData("avx2", 2048, 40)]
    [InlineData("avx2", 3072, 12)]
    [InlineData("avx2", 4096, 8)]
    public void Powers_are_right_for_extreme_moduli_and_numbers(string backendName, int bits, int rounds)
    {
        var backend = VectorBackends.Require(backendName);
        var random = new Random(bits);
        var length = bits / 8;
        for (var round = 0; round < rounds; round++)
        {
            var keys = new RsaPublicKey[backend.Lanes];
            var numbers = new byte[backend.Lanes * length];
            for (var lane = 0; lane < keys.Length; lane++)
            {
                var modulus = Modulus(bits, (round * keys.Length + lane) % 12, random);
                keys[lane] = TestKeys.Public(TestKeys.Pem(modulus.ToByteArray(isUnsigned: true, isBigEndian: true), [1, 0, 1]));
                TestKeys.Bytes(Number(modulus, random.Next(12), bits, random), length).CopyTo(numbers.AsSpan(lane * length));
            }

            var results = new byte[numbers.Length];
            if (backend is Avx512Backend)
                Avx512Backend.Power(keys, numbers, results);
            else
                Avx2Backend.Power(keys, numbers, results);
            for (var lane = 0; lane < keys.Length; lane++)
            {
                var expected = BigInteger.ModPow(TestKeys.Number(numbers.AsSpan(lane * length, length)), 65537, keys[lane].ModulusValue);
                Assert.True(expected == TestKeys.Number(results.AsSpan(lane * length, length)), $"round {round}, lane {lane}");
            }
        }
    }

    /// <summary>Numbers whose digits, in any of the radices, are the largest or the smallest, and the ends of the range.</summary>
    private static BigInteger Modulus(int bits, int kind, Random random)
    {
        var top = BigInteger.One << (bits - 1);
        return kind switch
        {
            0 => (top << 1) - 1,
            1 => top + 1,
            2 => Pattern(bits, 53, BigInteger.One << 52) | top | 1,
            3 => Pattern(bits, 53, (BigInteger.One << 52) - 1) | top | 1,
            4 => Pattern(bits, 52, BigInteger.One << 51) | top | 1,
            5 => Pattern(bits, 29, BigInteger.One << 28) | top | 1,
            6 => Pattern(bits, 29, (BigInteger.One << 28) - 1) | top | 1,
            7 => Pattern(bits, 28, BigInteger.One << 27) | top | 1,
            8 => (top << 1) - (BigInteger.One << 53) - 1,
            _ => TestKeys.Number(Noise(bits / 8, random)) | top | 1,
        };
    }

    private static BigInteger Number(BigInteger modulus, int kind, int bits, Random random) =>
        kind switch
        {
            0 => 0,
            1 => 1,
            2 => modulus - 1,
            3 => modulus - 2,
            4 => modulus >> 1,
            5 => Pattern(bits, 53, BigInteger.One << 52) % modulus,
            6 => Pattern(bits, 53, (BigInteger.One << 52) - 1) % modulus,
            7 => Pattern(bits, 29, BigInteger.One << 28) % modulus,
            _ => TestKeys.Number(Noise(bits / 8, random)) % modulus,
        };

    private static BigInteger Pattern(int bits, int digitBits, BigInteger digit)
    {
        var number = BigInteger.Zero;
        for (var shift = 0; shift + digitBits <= bits; shift += digitBits)
            number |= digit << shift;
        return number;
    }

    private static byte[] Noise(int length, Random random)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
