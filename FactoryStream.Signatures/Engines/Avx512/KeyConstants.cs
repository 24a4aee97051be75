using System.Numerics;

namespace FactoryStream.Signatures.Engines.Avx512;

/// <summary>
/// What the kernel needs to know of one modulus, as signed digits: first the friendly modulus N (a multiple of the modulus that is -1 modulo the
/// radix, so that a reduction's digit is the sum's own lowest digit), then the modulus M, then C = R^2 mod M, then -1 / M modulo the radix.
/// </summary>
internal static class KeyConstants
{
    public static long[] Create<TShape>(BigInteger modulus)
        where TShape : struct, IDigitShape
    {
        var radix = BigInteger.One << TShape.Bits;
        var inverse = radix - InverseOfOdd(modulus, TShape.Bits);
        var constants = GC.AllocateArray<long>(3 * TShape.Digits + 1, pinned: true);
        WriteDigits<TShape>(modulus * inverse, constants);
        WriteDigits<TShape>(modulus, constants.AsSpan(TShape.Digits));
        WriteDigits<TShape>(BigInteger.Pow(radix, 2 * TShape.Digits) % modulus, constants.AsSpan(2 * TShape.Digits));
        constants[^1] = (long)inverse;
        return constants;
    }

    private static void WriteDigits<TShape>(BigInteger number, Span<long> digits)
        where TShape : struct, IDigitShape
    {
        var half = BigInteger.One << (TShape.Bits - 1);
        var mask = (BigInteger.One << TShape.Bits) - 1;
        for (var i = 0; i < TShape.Digits; i++)
        {
            var digit = ((number + half) & mask) - half;
            digits[i] = (long)digit;
            number = (number - digit) >> TShape.Bits;
        }
    }

    /// <summary>1 / value modulo 2^bits by Newton's iteration: each step doubles the correct bits, starting from 3.</summary>
    private static BigInteger InverseOfOdd(BigInteger value, int bits)
    {
        var low = (ulong)(value & ulong.MaxValue);
        var inverse = low;
        for (var correct = 3; correct < bits; correct *= 2)
            inverse *= 2 - low * inverse;
        return inverse & ((1UL << bits) - 1);
    }
}
