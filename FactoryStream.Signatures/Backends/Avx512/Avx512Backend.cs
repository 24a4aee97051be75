using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>Sixteen signatures at once, every lane with its own key: README.md tells how and why it may be trusted.</summary>
internal sealed unsafe class Avx512Backend(int maximumPreparedKeys = SignatureVerifierOptions.DefaultMaximumPreparedKeys)
    : ISignatureBackend
{
    private readonly ConcurrentBag<Workspace> _idle = [];
    private readonly PreparedKeys<long> _prepared = new(maximumPreparedKeys, static key => ref key.Avx512Constants, Prepare);

    /// <summary>Memory that waits for its next use, so that tests can fill it with what must not matter.</summary>
    internal IReadOnlyCollection<Workspace> Idle => _idle;

    public static bool IsSupported =>
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported && Avx512DQ.IsSupported && Avx512BW.IsSupported;

    public string Name => "avx512";

    public int Lanes => 16;

    public bool Supports(RsaPublicKey key) => key.Exponent == 65537 && key.KeySizeBits is 2048 or 3072 or 4096;

    public int PreparedKeys => _prepared.Count;

    public bool TryPrepare(RsaPublicKey key) => _prepared.TryPrepare(key);

    // Eight lanes cost as much as two checks by OpenSSL, however full they are.
    public int Take(int waiting) =>
        waiting switch
        {
            >= 16 => 16,
            >= 11 => waiting,
            >= 8 => 8,
            >= 3 => waiting,
            _ => 0,
        };

    public uint Verify(ReadOnlySpan<SignatureCheck> checks, ReadOnlySpan<int> indices)
    {
        if (!_idle.TryTake(out var work))
            work = new Workspace();
        var valid = checks[indices[0]].Key.KeySizeBits switch
        {
            2048 => Verify<Shape2048>(work, checks, indices),
            3072 => Verify<Shape3072>(work, checks, indices),
            _ => Verify<Shape4096>(work, checks, indices),
        };
        _prepared.Checked(indices.Length);
        _idle.Add(work);
        return valid;
    }

    /// <summary>
    /// The number to the power of 65537 modulo the key, for tests against plain arithmetic. <paramref name="results"/> is as long as the
    /// numbers together.
    /// </summary>
    internal static void Power(ReadOnlySpan<RsaPublicKey> keys, ReadOnlySpan<byte> numbers, Span<byte> results)
    {
        var length = keys[0].SignatureLength;
        var work = new Workspace();
        var constants = stackalloc long*[16];
        for (var lane = 0; lane < 16; lane++)
        {
            constants[lane] = Address(work.Constants[lane] = Prepare(keys[lane % keys.Length]));
            numbers
                .Slice(lane % keys.Length * length, length)
                .CopyTo(new Span<byte>(work.Signatures + lane * Workspace.LaneStride, length));
        }

        switch (length)
        {
            case 256:
                Power<Shape2048>(work, constants, keys.Length);
                break;
            case 384:
                Power<Shape3072>(work, constants, keys.Length);
                break;
            default:
                Power<Shape4096>(work, constants, keys.Length);
                break;
        }

        for (var lane = 0; lane < keys.Length; lane++)
        {
            for (var word = 0; word < length / 4; word++)
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(
                    results[(lane * length + 4 * word)..],
                    ((uint*)(work.Encoded + 64 * word))[lane]
                );
        }

        GC.KeepAlive(work);
    }

    private uint Verify<TShape>(Workspace work, ReadOnlySpan<SignatureCheck> checks, ReadOnlySpan<int> indices)
        where TShape : struct, IDigitShape
    {
        var length = checks[indices[0]].Key.SignatureLength;
        var constants = stackalloc long*[16];
        Span<int> blocks = stackalloc int[16];
        blocks.Clear();
        for (var lane = 0; lane < indices.Length; lane++)
        {
            // What is checked is a copy: bytes that change meanwhile can spoil a verdict, but data and digest always belong together.
            ref readonly var check = ref checks[indices[lane]];
            constants[lane] = Address(work.Constants[lane] = _prepared.Of(check.Key));
            check.Signature.Span.CopyTo(new Span<byte>(work.Signatures + lane * Workspace.LaneStride, length));
            if (check.Data.Length <= Sha256Lanes.MaximumLength)
            {
                var row = work.Rows + lane * Sha256Lanes.RowStride;
                check.Data.Span.CopyTo(new Span<byte>(row, check.Data.Length));
                blocks[lane] = Sha256Lanes.Pad(row, check.Data.Length);
            }
        }

        // Lanes without a signature compute what they still hold, with the first lane's key; nobody reads their result.
        for (var lane = indices.Length; lane < 16; lane++)
            constants[lane] = constants[0];

        Sha256Lanes.Hash(work.Rows, blocks, work.DataHash, work.Scratch);
        for (var lane = 0; lane < indices.Length; lane++)
        {
            if (blocks[lane] == 0)
                HashAlone(checks[indices[lane]].Data.Span, work.DataHash, lane);
        }

        Power<TShape>(work, constants, indices.Length);
        return PssLanes.Verify(work, length / 4) & (uint)((1L << indices.Length) - 1);
    }

    private static void HashAlone(ReadOnlySpan<byte> data, byte* state, int lane)
    {
        Span<byte> digest = stackalloc byte[EmsaPss.HashLength];
        SingleCheck.Hash(data, digest);
        for (var i = 0; i < 8; i++)
            ((uint*)(state + 64 * i))[lane] = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(digest[(4 * i)..]);
    }

    /// <summary>Signatures to the power of 65537, as words of <see cref="Workspace.Encoded"/>.</summary>
    private static void Power<TShape>(Workspace work, long** constants, int count)
        where TShape : struct, IDigitShape
    {
        var words = TShape.Digits * TShape.Bits / 64 - (TShape.Digits * TShape.Bits / 64) % 16; // 32, 48 or 64 64-bit words
        Load<TShape>(work, constants, work.Low, work.Signatures, words);
        if (count <= 8)
        {
            MontgomeryKernel.Multiply8<TShape>(work.Low, TShape.C);
            for (var i = 0; i < 16; i++)
                MontgomeryKernel.Square8<TShape>(work.Low);
            MontgomeryKernel.Multiply8<TShape>(work.Low, TShape.Y);
            Store<TShape>(work, work.Low, words, 0);
            return;
        }

        // Two sets of lanes in one instruction stream: while one waits for its carries, the other multiplies.
        Load<TShape>(work, constants + 8, work.High, work.Signatures + 8 * Workspace.LaneStride, words);
        MontgomeryKernel.Multiply16<TShape>(work.Low, work.High, TShape.C);
        for (var i = 0; i < 16; i++)
            MontgomeryKernel.Square16<TShape>(work.Low, work.High);
        MontgomeryKernel.Multiply16<TShape>(work.Low, work.High, TShape.Y);
        Store<TShape>(work, work.Low, words, 0);
        Store<TShape>(work, work.High, words, 32);
    }

    private static void Load<TShape>(Workspace work, long** constants, byte* digits, byte* signatures, int words)
        where TShape : struct, IDigitShape
    {
        DigitLanes.LoadDigits<TShape>(constants, 0, TShape.Scale, digits + TShape.N);
        DigitLanes.LoadDigits<TShape>(constants, TShape.Digits, TShape.Scale, digits + TShape.M);
        DigitLanes.LoadDigits<TShape>(constants, 2 * TShape.Digits, 1, digits + TShape.C);
        for (var lane = 0; lane < 8; lane++)
            ((long*)(digits + TShape.Inverse))[lane] = constants[lane][3 * TShape.Digits];
        DigitLanes.LoadBytes<TShape>(signatures, Workspace.LaneStride, 8 * words, work.Words, digits + TShape.S);
    }

    private static void Store<TShape>(Workspace work, byte* digits, int words, int offset)
        where TShape : struct, IDigitShape
    {
        DigitLanes.StoreWords<TShape>(digits, words, work.Words);
        for (var i = 0; i < words; i++)
        {
            // Words of 64 bits, least significant first, to words of 32 bits, most significant first.
            var value = Vector512.LoadAligned((ulong*)(work.Words + 64 * i));
            var to = work.Encoded + 64 * (2 * words - 1 - 2 * i) + offset;
            Avx512F.ConvertToVector256UInt32(value).StoreAligned((uint*)to);
            Avx512F.ConvertToVector256UInt32(value >>> 32).StoreAligned((uint*)(to - 64));
        }
    }

    private static long[] Prepare(RsaPublicKey key) =>
        key.KeySizeBits switch
        {
            2048 => KeyConstants.Create<Shape2048>(key.ModulusValue),
            3072 => KeyConstants.Create<Shape3072>(key.ModulusValue),
            _ => KeyConstants.Create<Shape4096>(key.ModulusValue),
        };

    /// <summary>Constants are in memory that does not move, and stay there as long as the workspace holds them.</summary>
    private static long* Address(long[] constants) => (long*)Unsafe.AsPointer(ref constants[0]);
}
