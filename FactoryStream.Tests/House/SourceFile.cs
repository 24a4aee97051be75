namespace FactoryStream.Tests.House;

/// <summary>A source file of the checkout.</summary>
/// <param name="Path">From the root, with <c>/</c>.</param>
/// <param name="Lines">All of them.</param>
internal sealed record SourceFile(string Path, IReadOnlyList<string> Lines)
{
    /// <summary>Every file below the root with one ending, without what a build makes and without hidden folders.</summary>
    public static IReadOnlyList<SourceFile> All(string ending) =>
        Some(
            Below(new DirectoryInfo(SharedData.Root))
                .Where(file => file.Name.EndsWith(ending, StringComparison.Ordinal))
                .Select(file => new SourceFile(
                    System.IO.Path.GetRelativePath(SharedData.Root, file.FullName).Replace('\\', '/'),
                    File.ReadAllLines(file.FullName)
                ))
                .OrderBy(file => file.Path, StringComparer.Ordinal)
        );

    /// <summary>The C# that people write.</summary>
    public static IReadOnlyList<SourceFile> HandWritten() => Some(All(".cs").Where(file => !file.IsGenerated));

    /// <summary>The C# of the product: hand-written, and no test's.</summary>
    public static IReadOnlyList<SourceFile> Product() =>
        Some(HandWritten().Where(file => file.Project is not (null or "FactoryStream.Tests")));

    /// <summary>One file of the checkout.</summary>
    public static SourceFile One(string path) => new(path, File.ReadAllLines(System.IO.Path.Combine(SharedData.Root, path)));

    /// <summary>Written by programs.</summary>
    public bool IsGenerated =>
        Path.EndsWith(".g.cs", StringComparison.Ordinal)
        || Path.EndsWith(".Designer.cs", StringComparison.Ordinal)
        || Path.EndsWith("Snapshot.cs", StringComparison.Ordinal);

    /// <summary>E.g. <c>FactoryStream.Ingest</c>; null outside the projects.</summary>
    public string? Project => Path.StartsWith("FactoryStream.", StringComparison.Ordinal) ? Path.Split('/')[0] : null;

    /// <summary>The first folder within the project, e.g. <c>Topics</c>; null for a file that stands in the project itself.</summary>
    public string? Folder => Path.Split('/') is [_, var folder, _, ..] ? folder : null;

    /// <summary>At least one: a rule about no file at all would hold.</summary>
    private static SourceFile[] Some(IEnumerable<SourceFile> files)
    {
        var found = files.ToArray();
        Assert.NotEmpty(found);
        return found;
    }

    private static IEnumerable<FileInfo> Below(DirectoryInfo folder) =>
        folder
            .EnumerateFiles()
            .Concat(
                folder
                    .EnumerateDirectories()
                    .Where(inner => inner.Name is not ("bin" or "obj") && !inner.Name.StartsWith('.'))
                    .SelectMany(Below)
            );
}
