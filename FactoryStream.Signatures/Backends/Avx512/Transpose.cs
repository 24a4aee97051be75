using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>Turns lane-wise rows into vectors of one element per lane, and back.</summary>
internal static unsafe class Transpose
{
    /// <summary>Eight rows of eight 64-bit elements; row i of the result holds element i of each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(
        ref Vector512<long> r0,
        ref Vector512<long> r1,
        ref Vector512<long> r2,
        ref Vector512<long> r3,
        ref Vector512<long> r4,
        ref Vector512<long> r5,
        ref Vector512<long> r6,
        ref Vector512<long> r7
    )
    {
        var a0 = Avx512F.UnpackLow(r0, r1);
        var a1 = Avx512F.UnpackHigh(r0, r1);
        var a2 = Avx512F.UnpackLow(r2, r3);
        var a3 = Avx512F.UnpackHigh(r2, r3);
        var a4 = Avx512F.UnpackLow(r4, r5);
        var a5 = Avx512F.UnpackHigh(r4, r5);
        var a6 = Avx512F.UnpackLow(r6, r7);
        var a7 = Avx512F.UnpackHigh(r6, r7);
        // Each a holds, in its 128-bit part j, the elements 2j (low) or 2j + 1 (high) of two rows.
        var b0 = Avx512F.Shuffle4x128(a0, a2, 0x88); // parts 0 and 2
        var b1 = Avx512F.Shuffle4x128(a0, a2, 0xDD); // parts 1 and 3
        var b2 = Avx512F.Shuffle4x128(a4, a6, 0x88);
        var b3 = Avx512F.Shuffle4x128(a4, a6, 0xDD);
        var c0 = Avx512F.Shuffle4x128(a1, a3, 0x88);
        var c1 = Avx512F.Shuffle4x128(a1, a3, 0xDD);
        var c2 = Avx512F.Shuffle4x128(a5, a7, 0x88);
        var c3 = Avx512F.Shuffle4x128(a5, a7, 0xDD);
        r0 = Avx512F.Shuffle4x128(b0, b2, 0x88);
        r4 = Avx512F.Shuffle4x128(b0, b2, 0xDD);
        r2 = Avx512F.Shuffle4x128(b1, b3, 0x88);
        r6 = Avx512F.Shuffle4x128(b1, b3, 0xDD);
        r1 = Avx512F.Shuffle4x128(c0, c2, 0x88);
        r5 = Avx512F.Shuffle4x128(c0, c2, 0xDD);
        r3 = Avx512F.Shuffle4x128(c1, c3, 0x88);
        r7 = Avx512F.Shuffle4x128(c1, c3, 0xDD);
    }

    /// <summary>Sixteen rows of sixteen 32-bit elements, <paramref name="stride"/> bytes apart, to sixteen adjoining vectors.</summary>
    public static void Sixteen(byte* rows, nint stride, byte* result, nint resultStride)
    {
        // Pairs of rows are interleaved so that what is left is a transposition of 64-bit elements, done for the even and the odd half of
        // the rows.
        for (var half = 0; half < 2; half++)
        {
            var from = rows + 8 * half * stride;
            var r0 = Vector512.Load((int*)from);
            var r1 = Vector512.Load((int*)(from + stride));
            var r2 = Vector512.Load((int*)(from + 2 * stride));
            var r3 = Vector512.Load((int*)(from + 3 * stride));
            var r4 = Vector512.Load((int*)(from + 4 * stride));
            var r5 = Vector512.Load((int*)(from + 5 * stride));
            var r6 = Vector512.Load((int*)(from + 6 * stride));
            var r7 = Vector512.Load((int*)(from + 7 * stride));
            var a0 = Avx512F.UnpackLow(r0, r1).AsInt64();
            var a1 = Avx512F.UnpackHigh(r0, r1).AsInt64();
            var a2 = Avx512F.UnpackLow(r2, r3).AsInt64();
            var a3 = Avx512F.UnpackHigh(r2, r3).AsInt64();
            var a4 = Avx512F.UnpackLow(r4, r5).AsInt64();
            var a5 = Avx512F.UnpackHigh(r4, r5).AsInt64();
            var a6 = Avx512F.UnpackLow(r6, r7).AsInt64();
            var a7 = Avx512F.UnpackHigh(r6, r7).AsInt64();
            // b: element e of four rows in the 128-bit part that e has (e mod 4 chooses the vector).
            var b0 = Avx512F.UnpackLow(a0, a2);
            var b1 = Avx512F.UnpackHigh(a0, a2);
            var b2 = Avx512F.UnpackLow(a1, a3);
            var b3 = Avx512F.UnpackHigh(a1, a3);
            var c0 = Avx512F.UnpackLow(a4, a6);
            var c1 = Avx512F.UnpackHigh(a4, a6);
            var c2 = Avx512F.UnpackLow(a5, a7);
            var c3 = Avx512F.UnpackHigh(a5, a7);
            var to = result + 32 * half;
            Store(b0, c0, to, resultStride);
            Store(b1, c1, to + resultStride, resultStride);
            Store(b2, c2, to + 2 * resultStride, resultStride);
            Store(b3, c3, to + 3 * resultStride, resultStride);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Store(Vector512<long> low, Vector512<long> high, byte* to, nint stride)
        {
            var even = Avx512F.Shuffle4x128(low, high, 0x88); // elements e and e + 8 of the lower four rows, then of the upper four
            var odd = Avx512F.Shuffle4x128(low, high, 0xDD);
            even = Avx512F.PermuteVar8x64(even, Vector512.Create(0, 1, 4, 5, 2, 3, 6, 7));
            odd = Avx512F.PermuteVar8x64(odd, Vector512.Create(0, 1, 4, 5, 2, 3, 6, 7));
            even.GetLower().Store((long*)to);
            odd.GetLower().Store((long*)(to + 4 * stride));
            even.GetUpper().Store((long*)(to + 8 * stride));
            odd.GetUpper().Store((long*)(to + 12 * stride));
        }
    }
}
