namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>
/// How a number of one key size lies in memory: signed digits of <see cref="Bits"/> bits, each as double and as integer, eight lanes a
/// vector. The members are constants to the JIT compiler.
/// </summary>
internal interface IDigitShape
{
    /// <summary>Radix is 2^Bits, a digit's magnitude at most half of it.</summary>
    static abstract int Bits { get; }

    /// <summary>Number of digits, a multiple of 4.</summary>
    static abstract int Digits { get; }

    /// <summary>
    /// Whether the floating-point sums are read out between product and reduction, because all terms at once could lose too many bits.
    /// </summary>
    static abstract bool SplitHigh { get; }

    static abstract double Scale { get; }

    // Offsets in bytes into the workspace of eight lanes. Each number is its digits as doubles, then (Long bytes on) as integers.
    static abstract int Long { get; }

    /// <summary>The running value.</summary>
    static abstract int Y { get; }

    /// <summary>The reduction's quotient.</summary>
    static abstract int Q { get; }

    /// <summary>The modulus multiplied so that it is -1 in its lowest digit, with that digit taken as it is.</summary>
    static abstract int N { get; }

    /// <summary>The signature.</summary>
    static abstract int S { get; }

    /// <summary>The modulus itself.</summary>
    static abstract int M { get; }

    /// <summary>R^2 modulo the modulus.</summary>
    static abstract int C { get; }

    /// <summary>-1 / modulus modulo the radix.</summary>
    static abstract int Inverse { get; }
}

internal readonly struct Shape2048 : IDigitShape
{
    public static int Bits => 53;
    public static int Digits => 40;
    public static bool SplitHigh => false;
    public static double Scale => 1.0 / (1L << 53);
    public static int Long => 40 * 64;
    public static int Y => 0;
    public static int Q => 2 * Long;
    public static int N => 4 * Long;
    public static int S => 6 * Long;
    public static int M => 8 * Long;
    public static int C => 10 * Long;
    public static int Inverse => 12 * Long;
}

internal readonly struct Shape3072 : IDigitShape
{
    public static int Bits => 53;
    public static int Digits => 60;
    public static bool SplitHigh => true;
    public static double Scale => 1.0 / (1L << 53);
    public static int Long => 60 * 64;
    public static int Y => 0;
    public static int Q => 2 * Long;
    public static int N => 4 * Long;
    public static int S => 6 * Long;
    public static int M => 8 * Long;
    public static int C => 10 * Long;
    public static int Inverse => 12 * Long;
}

internal readonly struct Shape4096 : IDigitShape
{
    public static int Bits => 52;
    public static int Digits => 80;
    public static bool SplitHigh => false;
    public static double Scale => 1.0 / (1L << 52);
    public static int Long => 80 * 64;
    public static int Y => 0;
    public static int Q => 2 * Long;
    public static int N => 4 * Long;
    public static int S => 6 * Long;
    public static int M => 8 * Long;
    public static int C => 10 * Long;
    public static int Inverse => 12 * Long;
}
