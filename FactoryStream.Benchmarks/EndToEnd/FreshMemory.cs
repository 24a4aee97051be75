using System.Globalization;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>
/// Fills free memory with page cache, so that the run does not measure the host: many virtual machines are given a page of memory only when
/// it is first touched, which was seen to cost 7 us a page, and logs and tables touch a page for every one or two readings. The cache stays
/// until this is disposed, and the kernel takes it back whenever it needs it.
/// </summary>
internal sealed class FreshMemory : IDisposable
{
    // Left free for what the kernel must not wait for: it wakes its own reclaiming below some 100 MB.
    private const long LeftFree = 256L << 20;

    private readonly string path = Path.Combine(Path.GetTempPath(), $"factorystream-memory-{Guid.NewGuid():N}");

    private FreshMemory() { }

    /// <summary>Reads a file without content, as long as there is free memory.</summary>
    public static async Task<FreshMemory> FillAsync(Func<string, Task> say, CancellationToken cancellationToken)
    {
        var memory = new FreshMemory();
        var bytes = Free() - LeftFree;
        if (bytes <= 0)
            return memory;
        await say(string.Create(CultureInfo.InvariantCulture, $"Touching {bytes / 1e9:0.0} GB of free memory"));
        try
        {
            await using (var file = new FileStream(memory.path, FileMode.CreateNew, FileAccess.Write))
                file.SetLength(bytes);
            await using var reader = new FileStream(memory.path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var buffer = new byte[1 << 20];
            while (await reader.ReadAsync(buffer, cancellationToken) > 0) { }
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    public void Dispose() => File.Delete(path);

    private static long Free()
    {
        var line = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemFree:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
