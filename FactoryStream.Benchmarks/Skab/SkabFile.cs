using System.Globalization;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.Skab;

/// <summary>
/// One experiment of SKAB: a recording of one engine. Sample: <c>datetime;Current;Volume Flow RateRMS;anomaly;changepoint</c> /
/// <c>2020-03-09 10:14:33;1.28;32.0;0.0;0.0</c>
/// </summary>
/// <param name="Name">Its path within the folder.</param>
/// <param name="Metrics">Of each reading, in the order of the columns; not a number: missing.</param>
/// <param name="Labelled">Of each reading, whether it is labelled an anomaly.</param>
internal sealed record SkabFile(string Name, IReadOnlyList<double[]> Metrics, IReadOnlyList<bool> Labelled)
{
    private const string Time = "datetime";
    private const string Anomaly = "anomaly";
    private const string Changepoint = "changepoint";

    /// <summary>All of a folder and its subfolders but the recording without anomalies, which is not part of the leaderboard.</summary>
    /// <exception cref="UsageException">There is no such folder, or what is in it is not SKAB; says where.</exception>
    public static IReadOnlyList<SkabFile> ReadFolder(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UsageException(
                $"--data: there is no folder {folder}. SKAB is at https://github.com/waico/SKAB; its folder is 'data'."
            );
        var files = Directory
            .EnumerateFiles(folder, "*.csv", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "anomaly-free.csv")
            .Order(StringComparer.Ordinal)
            .Select(file => Read(Path.GetRelativePath(folder, file), File.ReadAllLines(file)))
            .ToArray();
        return files.Length > 0 ? files : throw new UsageException($"--data: no *.csv in {folder}.");
    }

    /// <param name="name">For errors.</param>
    /// <param name="lines">The header first.</param>
    /// <exception cref="UsageException">Not of that form.</exception>
    public static SkabFile Read(string name, IReadOnlyList<string> lines)
    {
        var header = lines.Count > 0 ? lines[0].Split(';') : [];
        var label = Array.IndexOf(header, Anomaly);
        if (label < 0)
            throw new UsageException($"{name}: no column '{Anomaly}' in its first line.");
        int[] metrics = [.. Enumerable.Range(0, header.Length).Where(column => header[column] is not (Time or Anomaly or Changepoint))];
        var rows = new List<double[]>();
        var labelled = new List<bool>();
        for (var line = 1; line < lines.Count; line++)
        {
            var cells = lines[line].Split(';');
            if (cells.Length != header.Length)
                throw new UsageException($"{name}:{line + 1}: {cells.Length} columns, and the header has {header.Length}.");
            rows.Add([.. metrics.Select(column => Number(cells[column], header[column], name, line))]);
            labelled.Add(Number(cells[label], Anomaly, name, line) > 0.5);
        }
        return new(name, rows, labelled);
    }

    private static double Number(string cell, string column, string name, int line) =>
        cell.Length == 0 ? double.NaN
        : double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
        : throw new UsageException($"{name}:{line + 1}: '{cell}' in column {column} is no number.");
}
