using System.Buffers;
using System.IO.MemoryMappedFiles;
using FactoryStream.Simulator;
using Microsoft.Win32.SafeHandles;

namespace FactoryStream.Benchmarks.Load;

/// <summary>
/// A corpus mapped into memory: POSTs are slices of it, so that sending copies nothing and the file may be larger than memory.
/// </summary>
internal sealed class Corpus : IDisposable
{
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly long[] ends;

    private Corpus(CorpusPlan plan, int readingsPerPost, MemoryMappedFile file, MemoryMappedViewAccessor view, long[] ends, long bytes)
    {
        Plan = plan;
        ReadingsPerPost = readingsPerPost;
        this.file = file;
        this.view = view;
        this.ends = ends;
        Bytes = bytes;
    }

    public CorpusPlan Plan { get; }

    /// <summary>Readings of a POST; the last may be shorter.</summary>
    public int ReadingsPerPost { get; }

    public int Posts => ends.Length;

    public long Bytes { get; }

    /// <summary>Maps a corpus and finds its POSTs.</summary>
    /// <param name="stream">The file; it may have no name any more.</param>
    /// <param name="plan">What it holds.</param>
    /// <param name="readingsPerPost">Divides <see cref="CorpusPlan.Post"/>, so that a POST is of one factory, and is a multiple of
    /// <see cref="CorpusPlan.PerSignature"/>.</param>
    /// <exception cref="UsageException">It does not hold what the plan says.</exception>
    public static unsafe Corpus Open(FileStream stream, CorpusPlan plan, int readingsPerPost)
    {
        if (readingsPerPost < 1 || plan.Post % readingsPerPost != 0)
            throw new UsageException(
                $"The corpus was signed in POSTs of {plan.Post} readings: one of {readingsPerPost} would hold several factories'. "
                    + $"Choose a divisor of {plan.Post}."
            );
        if (readingsPerPost % plan.PerSignature != 0)
            throw new UsageException(
                $"The corpus was signed in batches of {plan.PerSignature} readings: a POST of {readingsPerPost} would cut one in two."
            );
        var length = stream.Length;
        if (length == 0)
            throw new UsageException("The corpus is empty.");
        var file = MemoryMappedFile.CreateFromFile(
            stream,
            null,
            0,
            MemoryMappedFileAccess.Read,
            HandleInheritability.None,
            leaveOpen: false
        );
        var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var ends = FindPosts(start, length, plan, readingsPerPost);
            return new Corpus(plan, readingsPerPost, file, view, ends, length);
        }
        catch
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            file.Dispose();
            throw;
        }
    }

    public int FactoryOf(int post) => Plan.FactoryOf(FirstOf(post) / Plan.Post);

    public long LastOf(int post) => FirstOf(post) + ReadingsOf(post) - 1;

    public int ReadingsOf(int post)
    {
        var first = FirstOf(post);
        var signed = first / Plan.Post;
        return (int)Math.Min(ReadingsPerPost, signed * Plan.Post + Plan.ReadingsOf(signed) - first);
    }

    /// <summary>The POST's bytes; good until this is disposed.</summary>
    public ReadOnlyMemory<byte> LinesAt(int post)
    {
        var start = post == 0 ? 0 : ends[post - 1];
        return new Slice(view.SafeMemoryMappedViewHandle, start, (int)(ends[post] - start)).Memory;
    }

    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }

    // Every POST that was planned but the last is full, and ReadingsPerPost divides it.
    private long FirstOf(int post) => (long)post * ReadingsPerPost;

    private static unsafe long[] FindPosts(byte* start, long length, CorpusPlan plan, int readingsPerPost)
    {
        var ends = new List<long>((int)Math.Min(Array.MaxLength, (plan.Readings + readingsPerPost - 1) / readingsPerPost));
        long position = 0,
            readings = 0;
        while (position < length)
        {
            var rest = new ReadOnlySpan<byte>(start + position, (int)Math.Min(length - position, 1 << 30));
            var end = rest.IndexOf((byte)'\n');
            if (end < 0)
                throw new UsageException("The corpus ends in the middle of a line: signing it was not finished.");
            position += end + 1;
            // The last batch of all may be shorter; a line beyond it is one too many.
            readings = readings < plan.Readings ? Math.Min(readings + plan.PerSignature, plan.Readings) : readings + 1;
            if (readings % readingsPerPost == 0 || readings == plan.Readings)
                ends.Add(position);
        }
        return readings == plan.Readings
            ? [.. ends]
            : throw new UsageException($"The corpus has {readings} readings, and its .json says {plan.Readings}.");
    }

    private sealed unsafe class Slice(SafeMemoryMappedViewHandle handle, long offset, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan()
        {
            // Pinned for as long as the corpus is open: Open acquired the pointer once.
            return new Span<byte>((byte*)handle.DangerousGetHandle() + offset, length);
        }

        public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)handle.DangerousGetHandle() + offset + elementIndex);

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
