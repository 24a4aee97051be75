using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>SHA-256 of sixteen messages of different lengths, each padded in a row of its own.</summary>
internal static unsafe class Sha256Lanes
{
    /// <summary>Bytes from one lane's row to the next; odd in units of 64, so that the rows do not fall on the same cache sets.</summary>
    public const int RowStride = 17 * 64;

    /// <summary>The longest message: padding takes at least 9 bytes. Longer ones are hashed one at a time.</summary>
    public const int MaximumLength = RowStride - 9;

    /// <summary>Bytes of <see cref="Hash"/>'s scratch: sixteen words and the state before a block.</summary>
    public const int ScratchSize = 24 * 64;

    private static readonly uint[] Constants = GC.AllocateUninitializedArray<uint>(64, pinned: true);
    private static readonly uint* K = CopyConstants();

    /// <summary>Completes a row whose first <paramref name="length"/> bytes are the message; returns its number of blocks.</summary>
    public static int Pad(byte* row, int length)
    {
        var blocks = (length + 9 + 63) / 64;
        new Span<byte>(row + length, 64 * blocks - length).Clear();
        row[length] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(new Span<byte>(row + 64 * blocks - 4, 4), 8 * length);
        return blocks;
    }

    /// <summary>
    /// Writes eight vectors of state: word i of every lane's digest. <paramref name="blockCounts"/> are sixteen; a lane with fewer than the
    /// rest keeps what it had after its last one.
    /// </summary>
    public static void Hash(byte* rows, ReadOnlySpan<int> blockCounts, byte* state, byte* scratch)
    {
        Start(state);
        var blocks = Vector512.Create(blockCounts);
        var count = 0;
        foreach (var lane in blockCounts)
            count = Math.Max(count, lane);
        for (var block = 0; block < count; block++)
        {
            Transpose.Sixteen(rows + 64 * block, RowStride, scratch, 64);
            for (var i = 0; i < 16; i++)
                Swap(Vector512.LoadAligned((uint*)(scratch + 64 * i))).StoreAligned((uint*)(scratch + 64 * i));
            var done = Vector512.LessThanOrEqual(blocks, Vector512.Create(block)).AsUInt32();
            if (done == Vector512<uint>.Zero)
            {
                Compress(scratch, state);
                continue;
            }

            var before = scratch + 16 * 64;
            for (var i = 0; i < 8; i++)
                Vector512.LoadAligned((uint*)(state + 64 * i)).StoreAligned((uint*)(before + 64 * i));
            Compress(scratch, state);
            for (var i = 0; i < 8; i++)
            {
                Vector512
                    .ConditionalSelect(
                        done,
                        Vector512.LoadAligned((uint*)(before + 64 * i)),
                        Vector512.LoadAligned((uint*)(state + 64 * i))
                    )
                    .StoreAligned((uint*)(state + 64 * i));
            }
        }
    }

    /// <summary>The state before a message's first block.</summary>
    public static void Start(byte* state)
    {
        Vector512.Create(0x6a09e667u).StoreAligned((uint*)state);
        Vector512.Create(0xbb67ae85u).StoreAligned((uint*)(state + 64));
        Vector512.Create(0x3c6ef372u).StoreAligned((uint*)(state + 128));
        Vector512.Create(0xa54ff53au).StoreAligned((uint*)(state + 192));
        Vector512.Create(0x510e527fu).StoreAligned((uint*)(state + 256));
        Vector512.Create(0x9b05688cu).StoreAligned((uint*)(state + 320));
        Vector512.Create(0x1f83d9abu).StoreAligned((uint*)(state + 384));
        Vector512.Create(0x5be0cd19u).StoreAligned((uint*)(state + 448));
    }

    /// <summary>One block whose words are already in place.</summary>
    public static void Compress(byte* words, byte* state) => Sha256Kernel.Compress(words, state, K);

    /// <summary>Reverses the bytes of each 32-bit word.</summary>
    public static Vector512<uint> Swap(Vector512<uint> value) =>
        Avx512BW.Shuffle(value.AsByte(), Vector512.Create(Vector128.Create(0x0405060700010203L, 0x0C0D0E0F08090A0B)).AsByte()).AsUInt32();

    /// <summary>The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 4.2.2).</summary>
    private static uint* CopyConstants()
    {
        ReadOnlySpan<uint> values =
        [
            0x428a2f98,
            0x71374491,
            0xb5c0fbcf,
            0xe9b5dba5,
            0x3956c25b,
            0x59f111f1,
            0x923f82a4,
            0xab1c5ed5,
            0xd807aa98,
            0x12835b01,
            0x243185be,
            0x550c7dc3,
            0x72be5d74,
            0x80deb1fe,
            0x9bdc06a7,
            0xc19bf174,
            0xe49b69c1,
            0xefbe4786,
            0x0fc19dc6,
            0x240ca1cc,
            0x2de92c6f,
            0x4a7484aa,
            0x5cb0a9dc,
            0x76f988da,
            0x983e5152,
            0xa831c66d,
            0xb00327c8,
            0xbf597fc7,
            0xc6e00bf3,
            0xd5a79147,
            0x06ca6351,
            0x14292967,
            0x27b70a85,
            0x2e1b2138,
            0x4d2c6dfc,
            0x53380d13,
            0x650a7354,
            0x766a0abb,
            0x81c2c92e,
            0x92722c85,
            0xa2bfe8a1,
            0xa81a664b,
            0xc24b8b70,
            0xc76c51a3,
            0xd192e819,
            0xd6990624,
            0xf40e3585,
            0x106aa070,
            0x19a4c116,
            0x1e376c08,
            0x2748774c,
            0x34b0bcb5,
            0x391c0cb3,
            0x4ed8aa4a,
            0x5b9cca4f,
            0x682e6ff3,
            0x748f82ee,
            0x78a5636f,
            0x84c87814,
            0x8cc70208,
            0x90befffa,
            0xa4506ceb,
            0xbef9a3f7,
            0xc67178f2,
        ];
        values.CopyTo(Constants);
        return (uint*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(Constants, 0);
    }
}
