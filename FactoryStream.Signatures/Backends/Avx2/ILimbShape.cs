using System.Runtime.CompilerServices;

namespace FactoryStream.Signatures.Backends.Avx2;

/// <summary>
/// How a number of one key size lies in memory: signed limbs of <see cref="Bits"/> bits, each in a 64-bit element, four lanes a vector.
/// A column of products must stay below 2^63: <see cref="Limbs"/> * 2^(2 * Bits - 2) for either half, product and reduction. Where both
/// together do not, the kernel carries in between.
/// </summary>
internal interface ILimbShape
{
    static abstract int Bits { get; }

    /// <summary>Number of limbs, a multiple of 4.</summary>
    static abstract int Limbs { get; }
}

/// <summary>
/// Offsets in bytes into the workspace of four lanes; the same numbers as in the AVX-512 backend. All are constants to the JIT compiler,
/// which in methods as long as the kernels has to be told to treat even these as such.
/// </summary>
internal static class Offsets<TShape>
    where TShape : struct, ILimbShape
{
    public static int Y
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 0;
    }

    public static int Q
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 32 * TShape.Limbs;
    }

    public static int N
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * 32 * TShape.Limbs;
    }

    public static int S
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 3 * 32 * TShape.Limbs;
    }

    public static int M
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4 * 32 * TShape.Limbs;
    }

    public static int C
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 5 * 32 * TShape.Limbs;
    }

    public static int Inverse
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 6 * 32 * TShape.Limbs;
    }

    public static int Size
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 6 * 32 * TShape.Limbs + 32;
    }

    /// <summary>
    /// Byte offset of the first four columns of the lower half of which one has so many products that twice as many could pass 2^63: column
    /// i has i + 1.
    /// </summary>
    public static int FirstLong
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 32 * ((1 << (64 - 2 * TShape.Bits)) - 4);
    }

    /// <summary>The same of the last ones of the upper half, where column Limbs + i has Limbs - 1 - i. Negative: none has.</summary>
    public static int LastLong
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 32 * (TShape.Limbs - 1 - (1 << (64 - 2 * TShape.Bits)));
    }
}

internal readonly struct Limbs2048 : ILimbShape
{
    public static int Bits => 29;
    public static int Limbs => 72;
}

internal readonly struct Limbs3072 : ILimbShape
{
    public static int Bits => 29;
    public static int Limbs => 108;
}

internal readonly struct Limbs4096 : ILimbShape
{
    public static int Bits => 28;
    public static int Limbs => 148;
}
