using System.Security.Cryptography;
using FactoryStream.Signatures;

namespace FactoryStream.Simulator.Factories;

/// <summary>
/// Where the factories' private keys are kept: a file each, <c>FACTORY.pem</c>, that only its owner can read. A key is made when it is
/// first asked for.
/// </summary>
internal sealed class KeyFolder(string path)
{
    private const UnixFileMode OwnerReadsAndWrites = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>The folder used when none is named, below the user's own data folder.</summary>
    public static string Default
    {
        get
        {
            var data = Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData,
                Environment.SpecialFolderOption.DoNotVerify
            );
            return data.Length > 0
                ? System.IO.Path.Combine(data, "factorystream", "simulator-keys")
                : throw new UsageException("This user has no data folder to keep keys in: name one with --keys or Simulator:Keys.");
        }
    }

    public bool Contains(string factoryId) => File.Exists(FileOf(factoryId));

    /// <summary>
    /// The factory's key; a new RSA-2048 pair if it has none yet. Of several callers at once, in whatever process, all get the same.
    /// </summary>
    /// <exception cref="UsageException">The file is no private key, or others than its owner may read it.</exception>
    public ReadingSigner GetOrCreate(string factoryId)
    {
        var file = FileOf(factoryId);
        try
        {
            if (File.Exists(file))
                return Read(file);
            if (!OperatingSystem.IsWindows())
                Directory.CreateDirectory(Path, OwnerReadsAndWrites | UnixFileMode.UserExecute);
            else
                Directory.CreateDirectory(Path);
            Create(file);
            return Read(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The key of {factoryId} cannot be kept in {Path}: {exception.Message}", exception);
        }
    }

    private static void Create(string file)
    {
        using var signer = ReadingSigner.Create();
        // Complete under a name of its own first: nobody sees half a key. The move fails where another process was faster, and then its key
        // counts.
        var temporary = $"{file}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerReadsAndWrites;
        using (var writer = new StreamWriter(temporary, options))
            writer.Write(signer.ExportPrivateKeyPem());
        try
        {
            File.Move(temporary, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(temporary);
        }
    }

    private static ReadingSigner Read(string file)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & ~OwnerReadsAndWrites) != 0)
            throw new UsageException(
                $"Others than its owner have rights on {file}, a private key. Make it the owner's alone (chmod 600), or delete it "
                    + "for a new one."
            );
        try
        {
            return ReadingSigner.FromPem(File.ReadAllText(file));
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            throw new UsageException($"{file} holds no RSA private key: {exception.Message}", exception);
        }
    }

    // An id may hold any character; the escape keeps it one file below the folder.
    private string FileOf(string factoryId) => System.IO.Path.Combine(Path, Uri.EscapeDataString(factoryId) + ".pem");
}
