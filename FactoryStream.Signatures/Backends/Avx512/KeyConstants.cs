using System.Numerics;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>
/// What the kernel needs to know of one modulus, as signed digits: first the friendly modulus N (a multiple of the modulus that is -1
/// modulo the radix, so that a reduction's digit is the sum's own lowest digit), then the modulus M, then C = R^2 mod M, then -1 / M modulo
/// the radix.
/// </summary>
internal static class KeyConstants
{
    public static long[] Create<TShape>(BigInteger modulus)
        where TShape : struct, IDigitShape
    {
        var radix = BigInteger.One << TShape.Bits;
        var inverse = radix - SignedDigits.InverseOfOdd(modulus, TShape.Bits);
        var constants = GC.AllocateArray<long>(3 * TShape.Digits + 1, pinned: true);
        SignedDigits.Write(modulus * inverse, TShape.Bits, constants.AsSpan(0, TShape.Digits));
        SignedDigits.Write(modulus, TShape.Bits, constants.AsSpan(TShape.Digits, TShape.Digits));
        SignedDigits.Write(
            BigInteger.Pow(radix, 2 * TShape.Digits) % modulus,
            TShape.Bits,
            constants.AsSpan(2 * TShape.Digits, TShape.Digits)
        );
        constants[^1] = (long)inverse;
        return constants;
    }
}
