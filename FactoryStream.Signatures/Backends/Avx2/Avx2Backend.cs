using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FactoryStream.Signatures.Backends.Avx2;

/// <summary>
/// Four signatures at once, every lane with its own key, for processors without AVX-512. Hashes and the PSS check are done one at a time.
/// </summary>
internal sealed unsafe class Avx2Backend(int maximumPreparedKeys = SignatureVerifierOptions.DefaultMaximumPreparedKeys) : ISignatureBackend
{
    private readonly ConcurrentBag<Workspace> _idle = [];
    private readonly PreparedKeys<int> _prepared = new(maximumPreparedKeys, static key => ref key.Avx2Constants, Prepare);

    /// <summary>Memory that waits for its next use, so that tests can fill it with what must not matter.</summary>
    internal IReadOnlyCollection<Workspace> Idle => _idle;

    public static bool IsSupported => System.Runtime.Intrinsics.X86.Avx2.IsSupported && BitConverter.IsLittleEndian;

    public string Name => "avx2";

    public int Lanes => 4;

    public bool Supports(RsaPublicKey key) => key.Exponent == 65537 && key.KeySizeBits is 2048 or 3072 or 4096;

    public int PreparedKeys => _prepared.Count;

    public bool TryPrepare(RsaPublicKey key) => _prepared.TryPrepare(key);

    // Four lanes cost as much as a check and a half by OpenSSL, however full they are.
    public int Take(int waiting) => waiting >= 2 ? Math.Min(waiting, Lanes) : 0;

    public uint Verify(ReadOnlySpan<SignatureCheck> checks, ReadOnlySpan<int> indices)
    {
        if (!_idle.TryTake(out var work))
            work = new Workspace();
        var length = checks[indices[0]].Key.SignatureLength;
        var keys = stackalloc int*[4];
        for (var lane = 0; lane < Lanes; lane++)
        {
            // Lanes without a signature compute the first one again.
            ref readonly var check = ref checks[indices[lane < indices.Length ? lane : 0]];
            keys[lane] = Address(work.Constants[lane] = _prepared.Of(check.Key));
            check.Signature.Span.CopyTo(work.Numbers.AsSpan(lane * length));
        }

        Power(work, keys, length);
        var valid = 0u;
        Span<byte> hash = stackalloc byte[EmsaPss.HashLength];
        for (var lane = 0; lane < indices.Length; lane++)
        {
            ref readonly var check = ref checks[indices[lane]];
            SingleCheck.Hash(check.Data.Span, hash);
            if (EmsaPss.Verify(work.Numbers.AsSpan(lane * length, length), 8 * length, hash))
                valid |= 1u << lane;
        }

        _prepared.Checked(indices.Length);
        _idle.Add(work);
        return valid;
    }

    /// <summary>The numbers to the power of 65537 modulo their keys, for tests against plain arithmetic.</summary>
    internal static void Power(ReadOnlySpan<RsaPublicKey> keys, ReadOnlySpan<byte> numbers, Span<byte> results)
    {
        var work = new Workspace();
        var length = keys[0].SignatureLength;
        var constants = stackalloc int*[4];
        for (var lane = 0; lane < 4; lane++)
        {
            constants[lane] = Address(work.Constants[lane] = Prepare(keys[lane % keys.Length]));
            numbers.Slice(lane % keys.Length * length, length).CopyTo(work.Numbers.AsSpan(lane * length));
        }

        Power(work, constants, length);
        work.Numbers.AsSpan(0, keys.Length * length).CopyTo(results);
        GC.KeepAlive(work);
    }

    private static void Power(Workspace work, int** keys, int length)
    {
        switch (length)
        {
            case 256:
                Power<Limbs2048>(work, keys, length);
                break;
            case 384:
                Power<Limbs3072>(work, keys, length);
                break;
            default:
                Power<Limbs4096>(work, keys, length);
                break;
        }
    }

    private static void Power<TShape>(Workspace work, int** keys, int length)
        where TShape : struct, ILimbShape
    {
        var w = work.Limbs;
        LoadLimbs<TShape>(keys, 0, w + Offsets<TShape>.N);
        LoadLimbs<TShape>(keys, TShape.Limbs, w + Offsets<TShape>.M);
        LoadLimbs<TShape>(keys, 2 * TShape.Limbs, w + Offsets<TShape>.C);
        for (var lane = 0; lane < 4; lane++)
        {
            ((long*)(w + Offsets<TShape>.Inverse))[lane] = keys[lane][3 * TShape.Limbs];
            LoadNumber<TShape>(work.Numbers.AsSpan(lane * length, length), (long*)(w + Offsets<TShape>.S) + lane);
        }

        Balance<TShape>(w + Offsets<TShape>.S);
        LimbKernel.Multiply<TShape>(w, Offsets<TShape>.C);
        for (var i = 0; i < 16; i++)
            LimbKernel.Square<TShape>(w);
        LimbKernel.Multiply<TShape>(w, Offsets<TShape>.Y);
        Normalise<TShape>(w);
        for (var lane = 0; lane < 4; lane++)
            StoreNumber<TShape>((long*)(w + Offsets<TShape>.Y) + lane, work.Numbers.AsSpan(lane * length, length));
    }

    private static void LoadLimbs<TShape>(int** keys, int first, byte* number)
        where TShape : struct, ILimbShape
    {
        for (var limb = 0; limb < TShape.Limbs; limb++)
        {
            var i = first + limb;
            Vector256.Create((long)keys[0][i], keys[1][i], keys[2][i], keys[3][i]).StoreAligned((long*)(number + 32 * limb));
        }
    }

    /// <summary>A big-endian number to unsigned limbs of one lane.</summary>
    private static void LoadNumber<TShape>(ReadOnlySpan<byte> bytes, long* limbs)
        where TShape : struct, ILimbShape
    {
        var bits = 0;
        ulong window = 0;
        var limb = 0;
        for (var end = bytes.Length; end > 0; end -= 4)
        {
            window |= (ulong)BinaryPrimitives.ReadUInt32BigEndian(bytes[(end - 4)..]) << bits;
            bits += 32;
            while (bits >= TShape.Bits)
            {
                limbs[4 * limb++] = (long)(window & ((1UL << TShape.Bits) - 1));
                window >>= TShape.Bits;
                bits -= TShape.Bits;
            }
        }

        for (; limb < TShape.Limbs; limb++)
        {
            limbs[4 * limb] = (long)window;
            window = 0;
        }
    }

    /// <summary>Unsigned limbs of one lane to a big-endian number.</summary>
    private static void StoreNumber<TShape>(long* limbs, Span<byte> bytes)
        where TShape : struct, ILimbShape
    {
        var bits = 0;
        ulong window = 0;
        var limb = 0;
        for (var end = bytes.Length; end > 0; end -= 4)
        {
            while (bits < 32)
            {
                window |= (ulong)limbs[4 * limb++] << bits;
                bits += TShape.Bits;
            }

            BinaryPrimitives.WriteUInt32BigEndian(bytes[(end - 4)..], (uint)window);
            window >>= 32;
            bits -= 32;
        }
    }

    /// <summary>Unsigned limbs to signed ones.</summary>
    private static void Balance<TShape>(byte* number)
        where TShape : struct, ILimbShape
    {
        var mask = Vector256.Create((1L << TShape.Bits) - 1);
        var half = Vector256.Create(1L << (TShape.Bits - 1));
        var carry = Vector256<long>.Zero;
        for (var limb = 0; limb < TShape.Limbs; limb++)
        {
            var value = Vector256.LoadAligned((long*)(number + 32 * limb)) + carry + half;
            carry = value >>> TShape.Bits;
            ((value & mask) - half).StoreAligned((long*)(number + 32 * limb));
        }
    }

    /// <summary>Brings Y, between minus and plus the modulus, into the range from 0 up to the modulus, with unsigned limbs.</summary>
    private static void Normalise<TShape>(byte* w)
        where TShape : struct, ILimbShape
    {
        var y = w + Offsets<TShape>.Y;
        var m = w + Offsets<TShape>.M;
        var mask = Vector256.Create((1L << TShape.Bits) - 1);
        var bias = Vector256.Create(long.MinValue);
        var unbias = Vector256.Create(1L << (63 - TShape.Bits));
        var carry = Vector256<long>.Zero;
        for (var limb = 0; limb < TShape.Limbs; limb++)
            carry = ((Vector256.LoadAligned((long*)(y + 32 * limb)) + carry + bias) >>> TShape.Bits) - unbias;
        var negative = carry;
        carry = Vector256<long>.Zero;
        for (var limb = 0; limb < TShape.Limbs; limb++)
        {
            var value =
                Vector256.LoadAligned((long*)(y + 32 * limb)) + (Vector256.LoadAligned((long*)(m + 32 * limb)) & negative) + carry + bias;
            carry = (value >>> TShape.Bits) - unbias;
            (value & mask).StoreAligned((long*)(y + 32 * limb));
        }
    }

    /// <summary>Constants are in memory that does not move, and stay there as long as the workspace holds them.</summary>
    private static int* Address(int[] constants) => (int*)Unsafe.AsPointer(ref constants[0]);

    private static int[] Prepare(RsaPublicKey key) =>
        key.KeySizeBits switch
        {
            2048 => Make<Limbs2048>(key.ModulusValue),
            3072 => Make<Limbs3072>(key.ModulusValue),
            _ => Make<Limbs4096>(key.ModulusValue),
        };

    /// <summary>As for AVX-512: friendly modulus N, modulus M, C = R^2 mod M, then -1 / M modulo the radix.</summary>
    private static int[] Make<TShape>(BigInteger modulus)
        where TShape : struct, ILimbShape
    {
        var radix = BigInteger.One << TShape.Bits;
        var inverse = radix - SignedDigits.InverseOfOdd(modulus, TShape.Bits);
        var constants = GC.AllocateArray<int>(3 * TShape.Limbs + 1, pinned: true);
        Write(modulus * inverse, 0);
        Write(modulus, TShape.Limbs);
        Write(BigInteger.Pow(radix, 2 * TShape.Limbs) % modulus, 2 * TShape.Limbs);
        constants[^1] = (int)inverse;
        return constants;

        void Write(BigInteger number, int first)
        {
            Span<long> limbs = stackalloc long[TShape.Limbs];
            SignedDigits.Write(number, TShape.Bits, limbs);
            for (var i = 0; i < limbs.Length; i++)
                constants[first + i] = (int)limbs[i];
        }
    }

    /// <summary>The memory that one thread needs.</summary>
    internal sealed class Workspace
    {
        /// <summary>Of each lane's key; held here because their addresses are in use.</summary>
        public int[][] Constants { get; } = new int[4][];

        public byte[] Numbers { get; } = new byte[4 * RsaPublicKey.MaximumKeySizeBits / 8];

        public byte* Limbs { get; } = (byte*)NativeMemory.AlignedAlloc((nuint)Offsets<Limbs4096>.Size, 64);

        ~Workspace() => NativeMemory.AlignedFree(Limbs);
    }
}
