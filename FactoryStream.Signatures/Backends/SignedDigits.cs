using System.Numerics;

namespace FactoryStream.Signatures.Backends;

/// <summary>
/// Numbers as digits between minus and plus half a radix of 2^bits: half the magnitude, so twice as many products fit a sum.
/// </summary>
internal static class SignedDigits
{
    public static void Write(BigInteger number, int bits, Span<long> digits)
    {
        var half = BigInteger.One << (bits - 1);
        var mask = (BigInteger.One << bits) - 1;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = ((number + half) & mask) - half;
            digits[i] = (long)digit;
            number = (number - digit) >> bits;
        }
    }

    /// <summary>1 / value modulo 2^bits by Newton's iteration: each step doubles the correct bits, starting from 3.</summary>
    public static BigInteger InverseOfOdd(BigInteger value, int bits)
    {
        var low = (ulong)(value & ulong.MaxValue);
        var inverse = low;
        for (var correct = 3; correct < bits; correct *= 2)
            inverse *= 2 - low * inverse;
        return inverse & ((1UL << bits) - 1);
    }
}
