using System.Globalization;

namespace FactoryStream.AppHost.Hosting;

/// <summary>The folder that everything which outlives a run is kept in. One AppHost at a time owns it.</summary>
internal sealed class DataFolder(string path, bool isTemporary = false) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnly | UnixFileMode.UserExecute;

    private FileStream? ownership;

    public string Path => path;

    /// <summary>Makes the folder and takes it, or says who has it.</summary>
    public void Take()
    {
        if (ownership is not null)
            return;
        try
        {
            // Others may pass through, so that a server run as another user reaches its own folder; they may not look around.
            CreateFolder(
                Path,
                OwnerOnlyFolder
                    | (
                        OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess
                            ? UnixFileMode.GroupExecute | UnixFileMode.OtherExecute
                            : 0
                    )
            );
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new DistributedApplicationException(
                $"The data folder {Path} cannot be made: {exception.Message} Name another by " + "--data FOLDER.",
                exception
            );
        }
        try
        {
            ownership = new FileStream(File("owner"), OwnFile(FileMode.OpenOrCreate));
        }
        catch (IOException exception)
        {
            var owner = TryRead("owner-pid")?.Trim();
            throw new DistributedApplicationException(
                $"Another AppHost{(owner is null ? "" : $" (process {owner})")} uses the data folder {Path}. Stop it first, or "
                    + "name another folder by --data FOLDER.",
                exception
            );
        }
        Write("owner-pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>A folder within, for its owner alone.</summary>
    public string Folder(string name)
    {
        var folder = File(name);
        CreateFolder(folder, OwnerOnlyFolder);
        return folder;
    }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string? TryRead(string name) => System.IO.File.Exists(File(name)) ? System.IO.File.ReadAllText(File(name)) : null;

    /// <summary>Writes a file for its owner alone: whole or not at all, whenever the machine fails.</summary>
    public void Write(string name, string content)
    {
        var next = File(name) + ".next";
        System.IO.File.Delete(next);
        using (var writer = new StreamWriter(new FileStream(next, OwnFile(FileMode.CreateNew))))
            writer.Write(content);
        System.IO.File.Move(next, File(name), overwrite: true);
    }

    /// <summary>A secret of the folder: made when first asked for, the same ever after.</summary>
    public string Secret(string name, Func<string> make)
    {
        Folder("secrets");
        var file = System.IO.Path.Combine("secrets", name);
        if (TryRead(file) is { Length: > 0 } kept)
            return kept;
        var made = make();
        Write(file, made);
        return made;
    }

    public void Dispose()
    {
        if (ownership is null)
            return;
        ownership.Dispose();
        ownership = null;
        if (isTemporary)
            Directory.Delete(Path, recursive: true);
    }

    private static FileStreamOptions OwnFile(FileMode mode)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    private static void CreateFolder(string path, UnixFileMode mode)
    {
        if (Directory.Exists(path))
            return;
        if (System.IO.Path.GetDirectoryName(path) is { } parent)
            CreateFolder(parent, mode);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }
        Directory.CreateDirectory(path, mode);
        // The mode above is cut by the umask.
        System.IO.File.SetUnixFileMode(path, mode);
    }
}
