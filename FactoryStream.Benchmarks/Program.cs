using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using FactoryStream.Signatures.Engines.Avx512;

if (args.Contains("quick")) { Quick.Run(); return; }
unsafe
{
    Run<Shape2048>(2048); Run<Shape3072>(3072); Run<Shape4096>(4096);

    static void Run<T>(int bits) where T : struct, IDigitShape
    {
        var rnd = new Random(5);
        var n = new BigInteger[16]; var s = new BigInteger[16]; var k = new long[16][];
        var bytes = new byte[16 * 512];
        for (int i = 0; i < 16; i++)
        {
            var b = new byte[bits / 8]; rnd.NextBytes(b); b[0] |= 1; b[^1] |= 0x80; n[i] = new BigInteger(b, true);
            if (i == 3) n[i] = (BigInteger.One << bits) - 1;
            if (i == 4) n[i] = (BigInteger.One << (bits - 1)) + 1;
            rnd.NextBytes(b); s[i] = new BigInteger(b, true) % n[i];
            if (i == 3) s[i] = n[i] - 1;
            s[i].TryWriteBytes(bytes.AsSpan(i * 512 + bits / 8 - s[i].GetByteCount(true)), out _, true, true);
            k[i] = KeyConstants.Create<T>(n[i]);
        }
        var w0 = (byte*)NativeMemory.AlignedAlloc((nuint)DigitLanes.Size<T>(), 64);
        var w1 = (byte*)NativeMemory.AlignedAlloc((nuint)DigitLanes.Size<T>(), 64);
        var words = (byte*)NativeMemory.AlignedAlloc(64 * 130, 64);
        var bp = (byte*)GCHandle.Alloc(bytes, GCHandleType.Pinned).AddrOfPinnedObject();
        {
            long** ptr = stackalloc long*[16];
            var hs = new GCHandle[16];
            for (int i = 0; i < 16; i++) { hs[i] = GCHandle.Alloc(k[i], GCHandleType.Pinned); ptr[i] = (long*)hs[i].AddrOfPinnedObject(); }
            void Load(byte* w, int g)
            {
                var p = ptr + 8 * g;
                DigitLanes.LoadDigits<T>(p, 0, T.Scale, w + T.N); DigitLanes.LoadDigits<T>(p, T.Digits, T.Scale, w + T.M); DigitLanes.LoadDigits<T>(p, 2 * T.Digits, 1, w + T.C);
                for (int i = 0; i < 8; i++) ((long*)(w + T.Inverse))[i] = k[8 * g + i][^1];
                DigitLanes.LoadBytes<T>(bp + g * 8 * 512, 512, bits / 8, words, w + T.S);
            }
            void One(byte* w, int g) { Load(w, g); MontgomeryKernel.Multiply8<T>(w, T.C); for (int i = 0; i < 16; i++) MontgomeryKernel.Square8<T>(w); MontgomeryKernel.Multiply8<T>(w, T.Y); DigitLanes.StoreWords<T>(w, bits / 64, words); }
            void Two() { Load(w0, 0); Load(w1, 1); MontgomeryKernel.Multiply16<T>(w0, w1, T.C); for (int i = 0; i < 16; i++) MontgomeryKernel.Square16<T>(w0, w1); MontgomeryKernel.Multiply16<T>(w0, w1, T.Y); }
            int Check(int g)
            {
                int bad = 0;
                for (int i = 0; i < 8; i++)
                {
                    var v = BigInteger.Zero; for (int j = bits / 64 - 1; j >= 0; j--) v = (v << 64) + ((ulong*)words)[8 * j + i];
                    if (v != BigInteger.ModPow(s[8 * g + i], 65537, n[8 * g + i])) bad++;
                }
                return bad;
            }
            One(w0, 0); int b0 = Check(0); One(w0, 1); int b1 = Check(1);
            Two(); DigitLanes.StoreWords<T>(w0, bits / 64, words); int b2 = Check(0); DigitLanes.StoreWords<T>(w1, bits / 64, words); int b3 = Check(1);
            Console.WriteLine($"{bits}: wrong {b0} {b1} {b2} {b3}");
            for (int r = 0; r < 5; r++)
            {
                int N = 1000;
                var t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) One(w0, 0); var e1 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) Two(); var e2 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) for (int j = 0; j < 16; j++) MontgomeryKernel.Square8<T>(w0); var e3 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) Load(w0, 0); var e4 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) MontgomeryKernel.Multiply8<T>(w0, T.Y); var e5 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) DigitLanes.StoreWords<T>(w0, bits / 64, words); var e6 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                t = Stopwatch.GetTimestamp(); for (int i = 0; i < N; i++) MontgomeryKernel.Square8<T>(w0); var e7 = Stopwatch.GetElapsedTime(t).TotalMicroseconds / N;
                Console.WriteLine($"  multiply {e5:F2} store {e6:F2} sq {e7:F2}");
                Console.WriteLine($"  8 lanes {e1:F1} us = {e1 / 8:F2} each; 16 lanes {e2:F1} = {e2 / 16:F2} each; 16 squarings {e3:F1}; load {e4:F1}");
            }
        }
    }
}
