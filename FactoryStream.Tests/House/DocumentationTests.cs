using System.Text.RegularExpressions;

namespace FactoryStream.Tests.House;

/// <summary>What the documents point to is there.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void Every_file_of_the_repository_that_a_document_names_exists()
    {
        var named = Documents()
            .SelectMany(document =>
                PathInCode().Matches(File.ReadAllText(document)).Select(match => (Document: document, Name: match.Groups[1].Value))
            )
            .ToArray();

        Assert.True(named.Length > 30, $"only {named.Length} paths found in the documents");
        Assert.Empty(named.Where(path => !Exists(SharedData.Root, path.Name)).Select(path => $"{path.Document}: {path.Name}"));
    }

    [Fact]
    public void Every_link_within_the_repository_leads_somewhere()
    {
        var links = Documents()
            .SelectMany(document =>
                Link().Matches(File.ReadAllText(document)).Select(match => (Document: document, To: match.Groups[1].Value))
            )
            .Where(link => !link.To.Contains("://", StringComparison.Ordinal) && !link.To.StartsWith("mailto:", StringComparison.Ordinal))
            .ToArray();

        Assert.True(links.Length > 50, $"only {links.Length} links found in the documents");
        Assert.Empty(
            links
                .Where(link => !LeadsSomewhere(link.Document, link.To))
                .Select(link => $"{Path.GetRelativePath(SharedData.Root, link.Document)}: {link.To}")
        );
    }

    private static bool LeadsSomewhere(string document, string link)
    {
        var parts = link.Split('#', 2);
        var target = parts[0].Length == 0 ? document : Path.Combine(Path.GetDirectoryName(document)!, parts[0]);
        if (!File.Exists(target) && !Directory.Exists(target))
            return false;
        return parts.Length == 1
            || File.ReadLines(target).Where(line => line.StartsWith('#')).Any(line => AnchorOf(line.TrimStart('#').Trim()) == parts[1]);
    }

    /// <summary>As GitHub makes it: small letters, no punctuation, a hyphen for each blank.</summary>
    private static string AnchorOf(string heading) =>
        string.Concat(
            heading
                .ToLowerInvariant()
                .Where(character => char.IsLetterOrDigit(character) || character is ' ' or '-' or '_')
                .Select(character => character == ' ' ? '-' : character)
        );

    private static bool Exists(string root, string path) =>
        File.Exists(Path.Combine(root, path)) || Directory.Exists(Path.Combine(root, path));

    private static IEnumerable<string> Documents() =>
        Directory
            .EnumerateFiles(SharedData.Root, "*.md", SearchOption.AllDirectories)
            .Where(file => !OfABuild().IsMatch(Path.GetRelativePath(SharedData.Root, file)));

    [GeneratedRegex(@"`((?:FactoryStream\.\w+|docs|deploy|eng)/[\w./-]+)`")]
    private static partial Regex PathInCode();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(^|/)(bin|obj|node_modules)/")]
    private static partial Regex OfABuild();
}
