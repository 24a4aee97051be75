using System.Globalization;

namespace FactoryStream.Tests;

/// <summary>
/// The vectors and bodies in <c>FactoryStream.Tests/Data</c>: part of the checkout, so that a stranger's clone runs what needs them.
/// </summary>
internal static class TestData
{
    /// <summary>A file or folder of them.</summary>
    public static string File(string path) => Path.Combine(SharedData.Root, "FactoryStream.Tests", "Data", path);

    /// <summary>The text of one, without the line break at its end.</summary>
    public static string Text(string path) => System.IO.File.ReadAllText(File(path)).TrimEnd('\n');

    /// <summary>The lines of one.</summary>
    public static string[] Lines(string path) => System.IO.File.ReadAllLines(File(path));

    /// <summary>Every case of <c>hostile/cases.tsv</c>: bodies that must not hurt a neighbour, and what is right for each.</summary>
    public static IReadOnlyList<HostileCase> Hostile { get; } =
    [.. System.IO.File.ReadLines(File("hostile/cases.tsv")).Skip(1).Select(line => HostileCase.Of(line.Split('\t')))];
}

/// <summary>A body for <c>POST /readings</c>, and what must become of it.</summary>
/// <param name="Name">What is odd about it.</param>
/// <param name="ContentType">Its header.</param>
/// <param name="ContentEncoding">Its header; "" for none.</param>
/// <param name="Status">The HTTP status that is right.</param>
/// <param name="Outcome">By name, e.g. <c>stored=2</c>, <c>refused=1</c>, <c>line=2</c>.</param>
/// <param name="Body">As it is sent.</param>
internal sealed record HostileCase(
    string Name,
    string ContentType,
    string ContentEncoding,
    int Status,
    IReadOnlyDictionary<string, string> Outcome,
    byte[] Body
)
{
    /// <summary>How many of its readings are stored, or null where that is open.</summary>
    public int? Stored => Number("stored");

    /// <summary>How many of its lines are refused, or null where that is open.</summary>
    public int? Refused => Number("refused");

    public static HostileCase Of(string[] columns) =>
        new(
            columns[0],
            columns[1],
            columns[2],
            int.Parse(columns[3], CultureInfo.InvariantCulture),
            columns[4].Split(' ').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair.Length == 2 ? pair[1] : ""),
            Convert.FromBase64String(columns[5])
        );

    private int? Number(string name) => Outcome.TryGetValue(name, out var number) ? int.Parse(number, CultureInfo.InvariantCulture) : null;
}
