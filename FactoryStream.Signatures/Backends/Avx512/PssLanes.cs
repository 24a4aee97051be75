using System.Runtime.Intrinsics;

namespace FactoryStream.Signatures.Backends.Avx512;

/// <summary>EMSA-PSS (RFC 8017 9.1.2) for sixteen encoded messages at once; see <see cref="EmsaPss"/> for one.</summary>
internal static unsafe class PssLanes
{
    /// <summary>
    /// Whether each lane's encoding fits its data's hash. <paramref name="wordCount"/> is the size of the modulus in 32-bit words, so that
    /// emBits is one less than a multiple of 32.
    /// </summary>
    public static uint Verify(Workspace work, int wordCount)
    {
        // The encoding is: salt block | 32 bytes of hash | 0xBC, so the block ends 33 bytes before the end, three bytes into word n - 9.
        var saltLength = 4 * wordCount - EmsaPss.HashLength - 1;
        var encoded = work.Encoded;
        var last = Word(encoded, wordCount - 1);
        var wrong = ((last & Vector512.Create(0xFFu)) ^ Vector512.Create(0xBCu)) | (Word(encoded, 0) & Vector512.Create(0x8000_0000u));
        for (var i = 0; i < 8; i++)
            ((Word(encoded, wordCount - 9 + i) << 24) | (Word(encoded, wordCount - 8 + i) >>> 8)).StoreAligned((uint*)(work.Hash + 64 * i));

        Unmask(work, wordCount);

        // From here on the salt's length differs from lane to lane: each lane's block becomes bytes again.
        for (var i = 0; i < wordCount - 8; i += 16)
            Transpose.Sixteen(work.Salted + 64 * i, 64, work.SaltRows + 4 * i, Workspace.LaneStride);
        for (var i = 0; i < 8; i++)
            Sha256Lanes.Swap(Word(work.DataHash, i)).StoreAligned((uint*)(work.State + 64 * i));
        Transpose.Sixteen(work.State, 64, work.HashRows, 64);

        Span<int> blocks = stackalloc int[16];
        var found = 0u;
        for (var lane = 0; lane < 16; lane++)
        {
            var block = new ReadOnlySpan<byte>(work.SaltRows + lane * Workspace.LaneStride, saltLength);
            var one = block.IndexOfAnyExcept((byte)0);
            if (one < 0 || block[one] != 1)
            {
                blocks[lane] = 0;
                continue;
            }

            found |= 1u << lane;
            var salt = block[(one + 1)..];
            var row = work.Rows + lane * Sha256Lanes.RowStride;
            *(long*)row = 0;
            Vector256.Load(work.HashRows + 64 * lane).Store(row + 8);
            salt.CopyTo(new Span<byte>(row + 8 + EmsaPss.HashLength, salt.Length));
            blocks[lane] = Sha256Lanes.Pad(row, 8 + EmsaPss.HashLength + salt.Length);
        }

        Sha256Lanes.Hash(work.Rows, blocks, work.State, work.Scratch);
        for (var i = 0; i < 8; i++)
            wrong |= Word(work.State, i) ^ Word(work.Hash, i);
        return found & (uint)Vector512.Equals(wrong, Vector512<uint>.Zero).ExtractMostSignificantBits();
    }

    /// <summary>MGF1 of the hash, exclusive-or the block; stored with its bytes in memory order.</summary>
    private static void Unmask(Workspace work, int wordCount)
    {
        var blockWords = wordCount - 8;
        for (var counter = 0; 8 * counter < blockWords; counter++)
        {
            // 32 bytes of hash, 4 of counter, then the padding of a message of 288 bits.
            for (var i = 0; i < 8; i++)
                Word(work.Hash, i).StoreAligned((uint*)(work.Scratch + 64 * i));
            Vector512.Create((uint)counter).StoreAligned((uint*)(work.Scratch + 64 * 8));
            Vector512.Create(0x8000_0000u).StoreAligned((uint*)(work.Scratch + 64 * 9));
            for (var i = 10; i < 15; i++)
                Vector512<uint>.Zero.StoreAligned((uint*)(work.Scratch + 64 * i));
            Vector512.Create(288u).StoreAligned((uint*)(work.Scratch + 64 * 15));
            Sha256Lanes.Start(work.State);
            Sha256Lanes.Compress(work.Scratch, work.State);
            for (var i = 0; i < 8 && 8 * counter + i < blockWords; i++)
            {
                var word = Word(work.Encoded, 8 * counter + i) ^ Word(work.State, i);
                if (8 * counter + i == 0)
                    word &= Vector512.Create(0x7FFF_FFFFu);
                Sha256Lanes.Swap(word).StoreAligned((uint*)(work.Salted + 64 * (8 * counter + i)));
            }
        }
    }

    private static Vector512<uint> Word(byte* words, int i) => Vector512.LoadAligned((uint*)(words + 64 * i));
}
