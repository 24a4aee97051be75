namespace FactoryStream.LocalHosting.Terminal;

/// <summary>A file of lines that never takes more than twice its limit: at the limit it becomes <c>NAME.1</c>, and a new one begins.</summary>
internal sealed class LogFile(string path, long limitBytes = 10_000_000) : IDisposable
{
    private StreamWriter? writer;

    /// <summary>Adds a line. Not to be called by two at once.</summary>
    public void Write(string line)
    {
        if (writer is null || writer.BaseStream.Length > limitBytes)
        {
            if (writer is not null)
            {
                writer.Dispose();
                File.Move(path, path + ".1", overwrite: true);
            }
            writer = new StreamWriter(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            })) { AutoFlush = true };
        }
        writer.WriteLine(line);
    }

    public void Dispose() => writer?.Dispose();
}
