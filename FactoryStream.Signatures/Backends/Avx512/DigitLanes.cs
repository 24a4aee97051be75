using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>Eight lanes' numbers into a workspace of digits, and the result out of it.</summary>
internal static unsafe class DigitLanes
{
    /// <summary>Bytes of one workspace of eight lanes.</summary>
    public static int Size<TShape>()
        where TShape : struct, IDigitShape => TShape.Inverse + 64;

    /// <summary>
    /// Gathers one number of eight keys' constants; <paramref name="keys"/> are the addresses of their digits. The doubles are multiplied
    /// by <paramref name="scale"/>: what is multiplied by quotient digits is kept in the unit of the column above.
    /// </summary>
    public static void LoadDigits<TShape>(long** keys, int first, double scale, byte* number)
        where TShape : struct, IDigitShape
    {
        var factor = Vector512.Create(scale);
        // 60 digits are not a multiple of 8: the last block then overlaps the one before.
        for (var block = 0; block < TShape.Digits; block += 8)
        {
            var digit = Math.Min(block, TShape.Digits - 8);
            var from = first + digit;
            var r0 = Vector512.Load(keys[0] + from);
            var r1 = Vector512.Load(keys[1] + from);
            var r2 = Vector512.Load(keys[2] + from);
            var r3 = Vector512.Load(keys[3] + from);
            var r4 = Vector512.Load(keys[4] + from);
            var r5 = Vector512.Load(keys[5] + from);
            var r6 = Vector512.Load(keys[6] + from);
            var r7 = Vector512.Load(keys[7] + from);
            Transpose.Eight(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            var to = number + 64 * digit;
            Store<TShape>(r0, factor, to);
            Store<TShape>(r1, factor, to + 64);
            Store<TShape>(r2, factor, to + 128);
            Store<TShape>(r3, factor, to + 192);
            Store<TShape>(r4, factor, to + 256);
            Store<TShape>(r5, factor, to + 320);
            Store<TShape>(r6, factor, to + 384);
            Store<TShape>(r7, factor, to + 448);
        }
    }

    /// <summary>
    /// Splits eight big-endian numbers, <paramref name="stride"/> bytes apart and <paramref name="length"/> (a multiple of 64) bytes long,
    /// into signed digits. <paramref name="words"/> is room for length / 8 + 1 vectors.
    /// </summary>
    public static void LoadBytes<TShape>(byte* bytes, int stride, int length, byte* words, byte* number)
        where TShape : struct, IDigitShape
    {
        var count = length / 8;
        for (var block = 0; block < count; block += 8)
        {
            var from = bytes + 8 * block;
            var r0 = Vector512.Load((long*)from);
            var r1 = Vector512.Load((long*)(from + stride));
            var r2 = Vector512.Load((long*)(from + 2 * stride));
            var r3 = Vector512.Load((long*)(from + 3 * stride));
            var r4 = Vector512.Load((long*)(from + 4 * stride));
            var r5 = Vector512.Load((long*)(from + 5 * stride));
            var r6 = Vector512.Load((long*)(from + 6 * stride));
            var r7 = Vector512.Load((long*)(from + 7 * stride));
            Transpose.Eight(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            var to = words + 64 * (count - 1 - block);
            Swap(r0).StoreAligned((long*)to);
            Swap(r1).StoreAligned((long*)(to - 64));
            Swap(r2).StoreAligned((long*)(to - 128));
            Swap(r3).StoreAligned((long*)(to - 192));
            Swap(r4).StoreAligned((long*)(to - 256));
            Swap(r5).StoreAligned((long*)(to - 320));
            Swap(r6).StoreAligned((long*)(to - 384));
            Swap(r7).StoreAligned((long*)(to - 448));
        }

        Vector512<long>.Zero.StoreAligned((long*)(words + 64 * count));
        var mask = Vector512.Create((1L << TShape.Bits) - 1);
        var half = Vector512.Create(1L << (TShape.Bits - 1));
        var carry = Vector512<long>.Zero;
        for (var digit = 0; digit < TShape.Digits; digit++)
        {
            var bit = digit * TShape.Bits;
            var word = bit / 64;
            var shift = bit % 64;
            var value = carry;
            if (word < count)
            {
                var low = Vector512.LoadAligned((long*)(words + 64 * word)) >>> shift;
                if (shift + TShape.Bits > 64)
                    low |= Vector512.LoadAligned((long*)(words + 64 * (word + 1))) << (64 - shift);
                value += low & mask;
            }

            carry = (value + half) >> TShape.Bits;
            Store<TShape>(value - (carry << TShape.Bits), Vector512<double>.One, number + 64 * digit);
        }
    }

    /// <summary>
    /// Brings Y, a number between minus and plus the modulus M, into the range from 0 to M - 1 and writes it as <paramref name="count"/>
    /// little-endian 64-bit words, a vector each.
    /// </summary>
    public static void StoreWords<TShape>(byte* workspace, int count, byte* words)
        where TShape : struct, IDigitShape
    {
        var mask = Vector512.Create((1L << TShape.Bits) - 1);
        var y = workspace + TShape.Y + TShape.Long;
        var m = workspace + TShape.M + TShape.Long;
        var carry = Vector512<long>.Zero;
        for (var digit = 0; digit < TShape.Digits; digit++)
            carry = (Vector512.LoadAligned((long*)(y + 64 * digit)) + carry) >> TShape.Bits;

        // What is left above the highest digit is the sign: 0 or -1.
        var negative = carry;
        carry = Vector512<long>.Zero;
        for (var digit = 0; digit < TShape.Digits; digit++)
        {
            var value =
                Vector512.LoadAligned((long*)(y + 64 * digit)) + (Vector512.LoadAligned((long*)(m + 64 * digit)) & negative) + carry;
            carry = value >> TShape.Bits;
            (value & mask).StoreAligned((long*)(y + 64 * digit));
        }

        for (var word = 0; word < count; word++)
        {
            var digit = 64 * word / TShape.Bits;
            var shift = 64 * word % TShape.Bits;
            var value =
                (Vector512.LoadAligned((long*)(y + 64 * digit)) >>> shift)
                | (Vector512.LoadAligned((long*)(y + 64 * (digit + 1))) << (TShape.Bits - shift));
            if (2 * TShape.Bits - shift < 64)
                value |= Vector512.LoadAligned((long*)(y + 64 * (digit + 2))) << (2 * TShape.Bits - shift);
            value.StoreAligned((long*)(words + 64 * word));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TShape>(Vector512<long> digit, Vector512<double> factor, byte* to)
        where TShape : struct, IDigitShape
    {
        digit.StoreAligned((long*)(to + TShape.Long));
        (Avx512DQ.ConvertToVector512Double(digit) * factor).StoreAligned((double*)to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<long> Swap(Vector512<long> value) =>
        Avx512BW.Shuffle(value.AsByte(), Vector512.Create(Vector128.Create(0x0001020304050607L, 0x08090A0B0C0D0E0F)).AsByte()).AsInt64();
}
