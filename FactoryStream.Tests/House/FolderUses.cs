using System.Text.RegularExpressions;

namespace FactoryStream.Tests.House;

/// <summary>A file of one folder that uses another folder of its project.</summary>
internal sealed record FolderUse(string Folder, string Used, string File);

/// <summary>
/// Which folders of a project use which. What stands in the project itself puts the folders together, and is not looked at.
/// </summary>
internal static class FolderUses
{
    /// <summary>The project's folders that hold C#.</summary>
    public static IReadOnlyList<string> Folders(string project) =>
        [.. Files(project).Select(file => file.Folder!).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>
    /// By <c>using</c>, for the compiler refuses one that is not needed, and by names that begin with a folder's, e.g.
    /// <c>Topics.Delivery</c>.
    /// </summary>
    public static IReadOnlyList<FolderUse> Of(string project)
    {
        var folders = Folders(project);
        return
        [
            .. from file in Files(project)
            let code = CSharpCode.Of(file.Lines)
            from used in folders
            where
                used != file.Folder
                && (
                    Regex.IsMatch(code, $@"\busing\s+(static\s+|\w+\s*=\s*)?{Regex.Escape(project)}\.{used}\b")
                    || Regex.IsMatch(code, $@"(?<![\w.])({Regex.Escape(project)}\.|{project.Split('.')[^1]}\.)?{used}\.[A-Z]\w*")
                )
            select new FolderUse(file.Folder!, used, file.Path),
        ];
    }

    /// <summary>A way from a folder back to itself, e.g. <c>Http &gt; Topics &gt; Http</c>; null: there is none.</summary>
    public static string? FindCycle(IReadOnlyList<FolderUse> uses) =>
        uses.Select(use => use.Folder).Distinct().Select(folder => FindWay(uses, [folder])).FirstOrDefault(way => way is not null);

    private static string? FindWay(IReadOnlyList<FolderUse> uses, string[] way)
    {
        foreach (var used in uses.Where(use => use.Folder == way[^1]).Select(use => use.Used).Distinct())
        {
            if (used == way[0])
                return string.Join(" > ", way.Append(used));
            if (!way.Contains(used) && FindWay(uses, [.. way, used]) is { } found)
                return found;
        }
        return null;
    }

    private static IEnumerable<SourceFile> Files(string project) =>
        SourceFile.Product().Where(file => file.Project == project && file.Folder is not null);
}
