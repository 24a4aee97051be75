using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace FactoryStream.Simulator.Load;

/// <summary>A corpus mapped into memory: POSTs are slices of it, so that sending copies nothing and the file may be larger than memory.</summary>
internal sealed class Corpus : IDisposable
{
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly long[] ends;

    private Corpus(CorpusPlan plan, int linesPerPost, MemoryMappedFile file, MemoryMappedViewAccessor view, long[] ends, long bytes)
    {
        Plan = plan;
        LinesPerPost = linesPerPost;
        this.file = file;
        this.view = view;
        this.ends = ends;
        Bytes = bytes;
    }

    public CorpusPlan Plan { get; }

    /// <summary>Lines of a POST; the last of a batch may be shorter.</summary>
    public int LinesPerPost { get; }

    public int Posts => ends.Length;

    public long Bytes { get; }

    /// <summary>Maps a corpus and finds its POSTs.</summary>
    /// <param name="stream">The file; it may have no name any more.</param>
    /// <param name="plan">What it holds.</param>
    /// <param name="linesPerPost">Divides <see cref="CorpusPlan.Batch"/>, so that a POST is of one factory.</param>
    /// <exception cref="UsageException">It does not hold what the plan says.</exception>
    public static unsafe Corpus Open(FileStream stream, CorpusPlan plan, int linesPerPost)
    {
        if (linesPerPost < 1 || plan.Batch % linesPerPost != 0)
            throw new UsageException($"The corpus was signed in batches of {plan.Batch} readings: a POST of {linesPerPost} would hold several factories'. Choose a divisor of {plan.Batch}.");
        var length = stream.Length;
        if (length == 0)
            throw new UsageException("The corpus is empty.");
        var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var ends = FindPosts(start, length, plan, linesPerPost);
            return new Corpus(plan, linesPerPost, file, view, ends, length);
        }
        catch
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            file.Dispose();
            throw;
        }
    }

    public int FactoryOf(int post) => Plan.FactoryOf(FirstLineOf(post) / Plan.Batch);

    public long LastLineOf(int post) => FirstLineOf(post) + LinesOf(post) - 1;

    public int LinesOf(int post)
    {
        var first = FirstLineOf(post);
        var batch = first / Plan.Batch;
        return (int)Math.Min(LinesPerPost, batch * Plan.Batch + Plan.LinesOf(batch) - first);
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

    // Every batch but the last is full, and LinesPerPost divides it.
    private long FirstLineOf(int post) => (long)post * LinesPerPost;

    private static unsafe long[] FindPosts(byte* start, long length, CorpusPlan plan, int linesPerPost)
    {
        var ends = new List<long>((int)Math.Min(Array.MaxLength, (plan.Readings + linesPerPost - 1) / linesPerPost));
        long position = 0, lines = 0;
        while (position < length)
        {
            var rest = new ReadOnlySpan<byte>(start + position, (int)Math.Min(length - position, 1 << 30));
            var end = rest.IndexOf((byte)'\n');
            if (end < 0)
                throw new UsageException("The corpus ends in the middle of a line: signing it was not finished.");
            position += end + 1;
            if (++lines % linesPerPost == 0 || lines == plan.Readings)
                ends.Add(position);
        }
        return lines == plan.Readings ? [.. ends] : throw new UsageException($"The corpus has {lines} readings, and its .json says {plan.Readings}.");
    }

    private sealed unsafe class Slice(SafeMemoryMappedViewHandle handle, long offset, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan()
        {
            // Pinned for as long as the corpus is open: Open acquired the pointer once.
            return new Span<byte>((byte*)handle.DangerousGetHandle() + offset, length);
        }

        public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)handle.DangerousGetHandle() + offset + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
