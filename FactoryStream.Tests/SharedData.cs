namespace FactoryStream.Tests;

/// <summary>The folder <c>shared</c> beside the checkout, with real data and tools; tests that need it skip without it.</summary>
internal static class SharedData
{
    /// <summary>The checkout's root: where the solution is.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder below <c>shared</c>; skips the test, saying so, where it is absent.</summary>
    public static string Require(string path)
    {
        var full = Path.Combine(Root, "..", "shared", path);
        Skip.IfNot(Path.Exists(full), $"../shared/{path} is not beside this checkout");
        return Path.GetFullPath(full);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FactoryStream.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No FactoryStream.sln above {AppContext.BaseDirectory}.");
    }
}
