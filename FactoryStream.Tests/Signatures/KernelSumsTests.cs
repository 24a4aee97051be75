using System.Numerics;
using System.Runtime.InteropServices;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Tests.Signatures;

/// <summary>
/// The kernels alone, on digits that no key and no signature bring about: all the largest, all the smallest, and mixtures, so that every
/// column's sum comes to its bound. What must hold is the equation of Montgomery's reduction itself, in exact arithmetic: result * R =
/// product + quotient * modulus.
/// </summary>
public sealed unsafe class KernelSumsTests
{
    private const int Rounds = 60;

    [SkippableFact]
    public void Limbs_of_2048_bits_add_up() => Limbs<Limbs2048>();

    [SkippableFact]
    public void Limbs_of_3072_bits_add_up() => Limbs<Limbs3072>();

    [SkippableFact]
    public void Limbs_of_4096_bits_add_up() => Limbs<Limbs4096>();

    [SkippableFact]
    public void Digits_of_2048_bits_add_up() => Digits<Shape2048>();

    [SkippableFact]
    public void Digits_of_3072_bits_add_up() => Digits<Shape3072>();

    [SkippableFact]
    public void Digits_of_4096_bits_add_up() => Digits<Shape4096>();

    private static void Limbs<TShape>()
        where TShape : struct, ILimbShape
    {
        Skip.IfNot(Avx2Backend.IsSupported, "This processor has no avx2, or it is switched off.");
        var random = new Random(TShape.Limbs);
        var w = (byte*)NativeMemory.AlignedAlloc((nuint)Offsets<TShape>.Size, 64);
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var square in new[] { true, false })
                {
                    var (y, n) = (new BigInteger[4], new BigInteger[4]);
                    var s = new BigInteger[4];
                    for (var lane = 0; lane < 4; lane++)
                    {
                        y[lane] = Fill(Offsets<TShape>.Y, Kind(round, lane), lane, lowest: null);
                        s[lane] = Fill(Offsets<TShape>.S, Kind(round, lane + 1), lane, lowest: null);
                        // A modulus that is -1 in its lowest limb is also one whose inverse is 1.
                        n[lane] = Fill(square ? Offsets<TShape>.N : Offsets<TShape>.M, Kind(round / 4, lane), lane, lowest: -1);
                        ((long*)(w + Offsets<TShape>.Inverse))[lane] = 1;
                    }

                    if (square)
                        LimbKernel.Square<TShape>(w);
                    else
                        LimbKernel.Multiply<TShape>(w, Offsets<TShape>.Y);
                    for (var lane = 0; lane < 4; lane++)
                    {
                        var product = square ? y[lane] * y[lane] : y[lane] * s[lane];
                        var expected = product + Number(Offsets<TShape>.Q, lane) * n[lane];
                        Assert.True(
                            expected == Number(Offsets<TShape>.Y, lane) << (TShape.Bits * TShape.Limbs),
                            $"square {square}, round {round}, lane {lane}"
                        );
                    }
                }
            }
        }
        finally
        {
            NativeMemory.AlignedFree(w);
        }

        BigInteger Fill(int offset, int kind, int lane, long? lowest)
        {
            for (var i = 0; i < TShape.Limbs; i++)
                ((long*)(w + offset + 32 * i))[lane] =
                    i == 0 && lowest is { } first ? first : Digit(random, kind, TShape.Bits, isHighest: i == TShape.Limbs - 1);
            return Number(offset, lane);
        }

        BigInteger Number(int offset, int lane)
        {
            var number = BigInteger.Zero;
            for (var i = TShape.Limbs - 1; i >= 0; i--)
                number = (number << TShape.Bits) + ((long*)(w + offset + 32 * i))[lane];
            return number;
        }
    }

    private static void Digits<TShape>()
        where TShape : struct, IDigitShape
    {
        Skip.IfNot(Avx512Backend.IsSupported, "This processor has no avx512, or it is switched off.");
        var random = new Random(TShape.Digits);
        var size = DigitLanes.Size<TShape>();
        var low = (byte*)NativeMemory.AlignedAlloc((nuint)size, 64);
        var high = (byte*)NativeMemory.AlignedAlloc((nuint)size, 64);
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var (square, lanes) in new[] { (true, 8), (false, 8), (true, 16), (false, 16) })
                {
                    var (y, s, n) = (new BigInteger[lanes], new BigInteger[lanes], new BigInteger[lanes]);
                    for (var lane = 0; lane < lanes; lane++)
                    {
                        y[lane] = Fill(lane, TShape.Y, Kind(round, lane), lowest: null, scale: 1);
                        s[lane] = Fill(lane, TShape.S, Kind(round, lane + 1), lowest: null, scale: 1);
                        n[lane] = Fill(lane, square ? TShape.N : TShape.M, Kind(round / 4, lane), lowest: -1, TShape.Scale);
                        ((long*)((lane < 8 ? low : high) + TShape.Inverse))[lane % 8] = 1;
                    }

                    switch (square, lanes)
                    {
                        case (true, 8):
                            MontgomeryKernel.Square8<TShape>(low);
                            break;
                        case (false, 8):
                            MontgomeryKernel.Multiply8<TShape>(low, TShape.Y);
                            break;
                        case (true, _):
                            MontgomeryKernel.Square16<TShape>(low, high);
                            break;
                        default:
                            MontgomeryKernel.Multiply16<TShape>(low, high, TShape.Y);
                            break;
                    }

                    for (var lane = 0; lane < lanes; lane++)
                    {
                        var product = square ? y[lane] * y[lane] : y[lane] * s[lane];
                        var expected = product + Number(lane, TShape.Q) * n[lane];
                        Assert.True(
                            expected == Number(lane, TShape.Y) << (TShape.Bits * TShape.Digits),
                            $"square {square}, round {round}, lane {lane} of {lanes}"
                        );
                    }
                }
            }
        }
        finally
        {
            NativeMemory.AlignedFree(low);
            NativeMemory.AlignedFree(high);
        }

        BigInteger Fill(int lane, int offset, int kind, long? lowest, double scale)
        {
            var number = (lane < 8 ? low : high) + offset;
            for (var i = 0; i < TShape.Digits; i++)
            {
                var digit = i == 0 && lowest is { } first ? first : Digit(random, kind, TShape.Bits, isHighest: i == TShape.Digits - 1);
                ((double*)(number + 64 * i))[lane % 8] = digit * scale;
                ((long*)(number + TShape.Long + 64 * i))[lane % 8] = digit;
            }

            return Number(lane, offset);
        }

        BigInteger Number(int lane, int offset)
        {
            var digits = (lane < 8 ? low : high) + offset + TShape.Long;
            var number = BigInteger.Zero;
            for (var i = TShape.Digits - 1; i >= 0; i--)
                number = (number << TShape.Bits) + ((long*)(digits + 64 * i))[lane % 8];
            return number;
        }
    }

    private static int Kind(int round, int lane) => (round + lane) % 6;

    /// <summary>The highest digit of a number is never large: numbers have at least one bit to spare.</summary>
    private static long Digit(Random random, int kind, int bits, bool isHighest)
    {
        var half = 1L << (bits - 1);
        if (isHighest)
            return random.Next(-1, 2);
        return kind switch
        {
            0 => -half,
            1 => half - 1,
            2 => random.Next(2) == 0 ? -half : half - 1,
            3 => random.Next(8) == 0 ? 0 : -half,
            4 => 0,
            _ => random.NextInt64(-half, half),
        };
    }
}
