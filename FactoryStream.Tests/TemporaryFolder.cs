namespace FactoryStream.Tests;

/// <summary>A folder for one test, gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("factorystream-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
