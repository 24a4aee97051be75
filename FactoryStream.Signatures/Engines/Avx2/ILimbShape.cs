namespace FactoryStream.Signatures.Engines.Avx2;

/// <summary>
/// How a number of one key size lies in memory: signed limbs of <see cref="Bits"/> bits, each in a 64-bit element, four lanes a vector.
/// A column of products must stay below 2^63: <see cref="Limbs"/> * 2^(2 * Bits - 2) for either half, product and reduction.
/// </summary>
internal interface ILimbShape
{
    static abstract int Bits { get; }

    /// <summary>Number of limbs, a multiple of 4.</summary>
    static abstract int Limbs { get; }
}

/// <summary>Offsets in bytes into the workspace of four lanes; the same numbers as in the AVX-512 engine.</summary>
internal static class Offsets<TShape>
    where TShape : struct, ILimbShape
{
    public static int Y => 0;
    public static int Q => 32 * TShape.Limbs;
    public static int N => 2 * 32 * TShape.Limbs;
    public static int S => 3 * 32 * TShape.Limbs;
    public static int M => 4 * 32 * TShape.Limbs;
    public static int C => 5 * 32 * TShape.Limbs;
    public static int Inverse => 6 * 32 * TShape.Limbs;
    public static int Size => 6 * 32 * TShape.Limbs + 32;
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
