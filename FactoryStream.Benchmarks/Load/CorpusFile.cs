using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.Load;

/// <summary>Opens corpus files.</summary>
internal static class CorpusFile
{
    private const int BufferBytes = 1 << 20;

    public static FileStream Create(string path) =>
        Try(path, () => new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, BufferBytes));

    /// <summary>A file that is gone as soon as it is closed, however this process ends.</summary>
    public static FileStream CreateNameless()
    {
        var path = Path.Combine(Path.GetTempPath(), $"factorystream-corpus-{Guid.NewGuid():N}");
        var file = Try(
            path,
            () =>
                new FileStream(
                    path,
                    FileMode.CreateNew,
                    FileAccess.ReadWrite,
                    FileShare.ReadWrite | FileShare.Delete,
                    BufferBytes,
                    FileOptions.DeleteOnClose
                )
        );
        // Unix keeps an open file that has no name.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }

    public static FileStream OpenRead(string path) =>
        Try(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes));

    private static FileStream Try(string path, Func<FileStream> open)
    {
        try
        {
            return open();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be opened: {exception.Message}", exception);
        }
    }
}
