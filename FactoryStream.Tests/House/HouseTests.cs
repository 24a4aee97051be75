using System.Text.RegularExpressions;

namespace FactoryStream.Tests.House;

/// <summary>The rules of CONTRIBUTING.md that can be read off the source, so that they stay true.</summary>
public sealed partial class HouseTests
{
    private const int MaxColumns = 140;
    private const int MaxLines = 300;

    [Fact]
    public void The_AppHost_and_the_start_of_each_service_fit_on_a_screen()
    {
        var appHost = SourceFile.One("FactoryStream.AppHost/AppHost.cs");
        var services = AppHostProject().Matches(string.Join('\n', appHost.Lines)).Select(match => match.Groups[1].Value).ToArray();
        Assert.Superset(new HashSet<string> { "Ingest", "Verifier", "Aggregator", "Dashboard" }, services.ToHashSet());

        var tooLong = services
            .Select(service => (File: SourceFile.One($"FactoryStream.{service}/Program.cs"), Most: 30))
            .Append((File: appHost, Most: 70))
            .Where(screen => screen.File.Lines.Count > screen.Most)
            .Select(screen => $"{screen.File.Path} has {screen.File.Lines.Count} lines, and may have {screen.Most}");

        AssertNone(tooLong);
    }

    [Fact]
    public void A_file_has_at_most_300_lines() =>
        AssertNone(
            SourceFile
                .HandWritten()
                .Where(file => file.Lines.Count > MaxLines)
                .Select(file => $"{file.Path} has {file.Lines.Count} lines: split it by concept")
        );

    [Theory]
    [InlineData(".cs")]
    [InlineData(".razor")]
    [InlineData(".css")]
    [InlineData(".js")]
    [InlineData(".csproj")]
    [InlineData(".props")]
    public void A_line_has_at_most_140_columns(string ending) =>
        AssertNone(
            SourceFile
                .All(ending)
                .Where(file => !file.IsGenerated)
                .SelectMany(file => file.Lines.Select((line, index) => (Place: $"{file.Path}:{index + 1}", line.Length)))
                .Where(line => line.Length > MaxColumns)
                .Select(line => $"{line.Place} has {line.Length} columns")
        );

    [Fact]
    public void No_identifier_of_the_product_is_a_synonym() =>
        AssertNone(
            from file in SourceFile.Product()
            let identifiers = CSharpCode.Identifiers(CSharpCode.Of(file.Lines)).ToArray()
            from synonym in Synonym.Banned
            where synonym.Project is null || synonym.Project == file.Project
            from identifier in identifiers
            where synonym.IsIn(identifier)
            select $"{file.Path}: {identifier} says {synonym.Word}; use {synonym.Instead}"
        );

    [Fact]
    public void A_type_named_Log_does_nothing_but_log()
    {
        var logs = (
            from file in SourceFile.Product()
            let code = CSharpCode.Of(file.Lines)
            from type in CSharpCode.Types(code)
            where type.EndsWith("Log", StringComparison.Ordinal)
            select (file.Path, Type: type, Others: LogMessage().Replace(CSharpCode.BodyOf(code, type), "").Trim())
        ).ToArray();

        Assert.Contains("IngestLog", logs.Select(log => log.Type));
        Assert.All(logs, log => Assert.True(log.Others.Length == 0, $"{log.Path}: {log.Type} has more than log messages: {log.Others}"));
    }

    [Fact]
    public void Every_type_that_the_glossary_names_exists()
    {
        var rows = Glossary().ToArray();
        Assert.True(rows.Length >= 10, $"docs/architecture.md, Words: {rows.Length} rows");
        var named = rows.SelectMany(row => TypeInCodeFont().Matches(row.Word).Select(match => match.Groups[1].Value)).ToArray();
        Assert.NotEmpty(named);

        var declared = SourceFile.Product().SelectMany(file => CSharpCode.Types(CSharpCode.Of(file.Lines))).ToHashSet();

        AssertNone(named.Where(type => !declared.Contains(type)).Select(type => $"no type of the product is called {type}"));
    }

    [Fact]
    public void Every_word_of_the_glossary_has_a_meaning_and_stands_there_once()
    {
        var rows = Glossary().ToArray();
        Assert.NotEmpty(rows);

        Assert.All(rows, row => Assert.True(row.Word.Length > 0 && row.Meaning.Length > 0, row.ToString()));
        Assert.Equal(rows.Select(row => row.Word).Distinct(StringComparer.OrdinalIgnoreCase), rows.Select(row => row.Word));
    }

    [Theory]
    [InlineData("FactoryStream.Ingest")]
    [InlineData("FactoryStream.Dashboard")]
    public void The_folders_of_a_project_form_no_cycle(string project)
    {
        var uses = FolderUses.Of(project);
        Assert.NotEmpty(uses);

        Assert.Null(FolderUses.FindCycle(uses));
    }

    [Theory]
    [InlineData("FactoryStream.Ingest", "Topics", "Http")]
    [InlineData("FactoryStream.Ingest", "Backpressure", "Topics")]
    [InlineData("FactoryStream.Ingest", "Backpressure", "Http")]
    [InlineData("FactoryStream.Aggregator", "Anomalies", "Committing")]
    [InlineData("FactoryStream.Aggregator", "Anomalies", "Consuming")]
    [InlineData("FactoryStream.Aggregator", "Alerts", "Committing")]
    [InlineData("FactoryStream.Aggregator", "Alerts", "Maintenance")]
    [InlineData("FactoryStream.Dashboard", "Alerts", "Api")]
    [InlineData("FactoryStream.Dashboard", "Live", "Api")]
    [InlineData("FactoryStream.Dashboard", "Pages", "Api")]
    [InlineData("FactoryStream.Dashboard", "Reconciliation", "Api")]
    [InlineData("FactoryStream.Dashboard", "Alerts", "Webhooks")]
    [InlineData("FactoryStream.Dashboard", "Webhooks", "Api")]
    [InlineData("FactoryStream.Dashboard", "Windows", "Api")]
    public void A_folder_does_not_use_what_stands_above_it(string project, string folder, string above)
    {
        Assert.Superset(new HashSet<string> { folder, above }, FolderUses.Folders(project).ToHashSet());

        AssertNone(FolderUses.Of(project).Where(use => use.Folder == folder && use.Used == above).Select(use => use.File));
    }

    [Fact]
    public void A_cycle_of_folders_is_found_and_a_diamond_is_none()
    {
        FolderUse[] diamond = [new("a", "b", "1"), new("a", "c", "2"), new("b", "d", "3"), new("c", "d", "4")];

        Assert.Null(FolderUses.FindCycle(diamond));
        Assert.Equal("b > d > a > b", FolderUses.FindCycle([.. diamond.Skip(2), new("a", "b", "5"), new("d", "a", "6")]));
    }

    /// <summary>Holds that nothing breaks a rule, and names all that does.</summary>
    private static void AssertNone(IEnumerable<string> breaches)
    {
        var all = breaches.ToArray();
        Assert.True(all.Length == 0, string.Join('\n', all));
    }

    private static IEnumerable<(string Word, string Meaning)> Glossary() =>
        SourceFile
            .One("docs/architecture.md")
            .Lines.SkipWhile(line => line != "## Words")
            .Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => GlossaryRow().Match(line))
            .Where(row => row.Success)
            // The heading, and the line below it.
            .Skip(2)
            .Select(row => (row.Groups[1].Value, row.Groups[2].Value));

    [GeneratedRegex(@"Projects\.FactoryStream_(\w+)")]
    private static partial Regex AppHostProject();

    [GeneratedRegex(@"\[LoggerMessage\([^\]]*\)\]\s*(public|internal|private)( static)? partial void \w+\([^;]*\);")]
    private static partial Regex LogMessage();

    [GeneratedRegex(@"^\|(?:\s*)([^|]*?)\s*\|\s*(.*?)\s*\|$")]
    private static partial Regex GlossaryRow();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*)`")]
    private static partial Regex TypeInCodeFont();
}
