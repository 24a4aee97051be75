using System.Runtime.InteropServices;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>The memory that one thread needs to check sixteen signatures; reused, never cleared in between.</summary>
internal sealed unsafe class Workspace
{
    /// <summary>Bytes from one lane's signature, or padded salt block, to the next.</summary>
    public const int LaneStride = 9 * 64;

    private const int MaximumWords = RsaPublicKey.MaximumKeySizeBits / 32;

    private readonly byte* _memory;

    public Workspace()
    {
        var digits = DigitLanes.Size<Shape4096>();
        var size =
            2 * digits
            + 16 * LaneStride
            + 2 * 64 * (MaximumWords + 16)
            + 64 * (MaximumWords / 2 + 2)
            + 16 * Sha256Lanes.RowStride
            + Sha256Lanes.ScratchSize
            + 3 * 16 * 64
            + 16 * LaneStride
            + 16 * 64;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, 4096);
        NativeMemory.Clear(_memory, (nuint)size);
        var next = _memory;
        Low = Part(ref next, digits);
        High = Part(ref next, digits);
        Signatures = Part(ref next, 16 * LaneStride);
        Encoded = Part(ref next, 64 * (MaximumWords + 16));
        Salted = Part(ref next, 64 * (MaximumWords + 16));
        Words = Part(ref next, 64 * (MaximumWords / 2 + 2));
        Rows = Part(ref next, 16 * Sha256Lanes.RowStride);
        Scratch = Part(ref next, Sha256Lanes.ScratchSize);
        DataHash = Part(ref next, 16 * 64);
        State = Part(ref next, 16 * 64);
        Hash = Part(ref next, 16 * 64);
        SaltRows = Part(ref next, 16 * LaneStride);
        HashRows = Part(ref next, 16 * 64);
        if (next - _memory != size)
            throw new InvalidOperationException("The workspace's parts do not add up.");

        static byte* Part(ref byte* next, int size)
        {
            var part = next;
            next += size;
            return part;
        }
    }

    ~Workspace() => NativeMemory.AlignedFree(_memory);

    /// <summary>Of each lane's key; held here because their addresses are in use.</summary>
    public long[][] Constants { get; } = new long[16][];

    /// <summary>Digits of lanes 0 to 7.</summary>
    public byte* Low { get; }

    /// <summary>Digits of lanes 8 to 15.</summary>
    public byte* High { get; }

    /// <summary>A row of bytes for each lane.</summary>
    public byte* Signatures { get; }

    /// <summary>The encoded message: 32-bit words, most significant first, a vector each.</summary>
    public byte* Encoded { get; }

    /// <summary>The encoding's salt block without its mask, in the same form.</summary>
    public byte* Salted { get; }

    /// <summary>64-bit words of eight lanes.</summary>
    public byte* Words { get; }

    /// <summary>Messages to hash, a row for each lane.</summary>
    public byte* Rows { get; }

    public byte* Scratch { get; }

    /// <summary>Digests of the data, eight vectors.</summary>
    public byte* DataHash { get; }

    public byte* State { get; }

    /// <summary>The encoding's own hash, eight vectors.</summary>
    public byte* Hash { get; }

    /// <summary>The salt block, a row of bytes for each lane.</summary>
    public byte* SaltRows { get; }

    /// <summary>The data's digest, a row of bytes for each lane.</summary>
    public byte* HashRows { get; }
}
