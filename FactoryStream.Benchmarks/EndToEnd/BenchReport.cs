using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Benchmarks.Skab;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>A figure, with what it shall be where something was promised.</summary>
/// <param name="Name">By which it is found in an earlier result.</param>
/// <param name="Value">In the unit.</param>
/// <param name="Unit">Empty: a ratio.</param>
/// <param name="Goal">In words; null: none.</param>
internal sealed record BenchRow(string Name, double Value, string Unit, string? Goal = null);

/// <summary>The result of a run; <c>--out</c> writes it.</summary>
/// <param name="Date">When it ended, UTC.</param>
/// <param name="Commit">Of the code; + where that was not committed.</param>
/// <param name="Machine">Where.</param>
/// <param name="Options">What was asked for.</param>
/// <param name="Rows">Ratios first.</param>
/// <param name="Processes">What each used from the first POST to the last commit.</param>
/// <param name="Load">The sender's own report.</param>
/// <param name="CommittedBySecond">Readings committed, each second since the first POST.</param>
/// <param name="Failure">What did not end well; null: nothing.</param>
internal sealed record BenchReport(
    DateTime Date,
    string Commit,
    MachineNote Machine,
    BenchOptions Options,
    IReadOnlyList<BenchRow> Rows,
    IReadOnlyList<ProcessUsage> Processes,
    LoadReport Load,
    IReadOnlyList<long> CommittedBySecond,
    string? Failure
)
{
    /// <summary>Of this code. The SDK appends it to the version: 0.1.0+7fb060e...</summary>
    public static string ThisCommit =>
        typeof(BenchReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')
            is [_, { Length: >= 12 } commit]
            ? commit[..12]
            : "unknown";

    public static BenchReport? Read(string file) => JsonSerializer.Deserialize(File.ReadAllBytes(file), BenchJson.Default.BenchReport);

    public void Write(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, BenchJson.Default.BenchReport) + "\n");
}

/// <summary>The machine of a result.</summary>
internal sealed record MachineNote(string Processor, int Processors, string OperatingSystem, string Runtime)
{
    public static MachineNote OfThis() =>
        new(
            SignatureRates.Processor(),
            Environment.ProcessorCount,
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription
        );
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(BenchReport))]
[JsonSerializable(typeof(StorageReport))]
[JsonSerializable(typeof(SkabReport))]
internal sealed partial class BenchJson : JsonSerializerContext;

/// <summary>Results as tables that read well on a terminal and are Markdown.</summary>
internal static class BenchTables
{
    public static void WriteRows(TextWriter output, IReadOnlyList<BenchRow> rows, IReadOnlyList<BenchRow>? old)
    {
        var before = old?.GroupBy(row => row.Name).ToDictionary(group => group.Key, group => group.First());
        var cells = new List<string[]>
        {
            before is null ? ["what", "value", "", "goal"] : ["what", "value", "", "goal", "before", "change"],
        };
        foreach (var row in rows)
        {
            string[] common = [row.Name, Number(row.Value), row.Unit, row.Goal ?? ""];
            cells.Add(
                before is null ? common
                : before.TryGetValue(row.Name, out var was) ? [.. common, Number(was.Value), Change(was.Value, row.Value)]
                : [.. common, "", "new"]
            );
        }
        foreach (var gone in before?.Values.Where(was => rows.All(row => row.Name != was.Name)) ?? [])
            cells.Add([gone.Name, "", gone.Unit, gone.Goal ?? "", Number(gone.Value), "gone"]);
        Write(output, cells);
    }

    public static void WriteProcesses(TextWriter output, IReadOnlyList<ProcessUsage> processes, double seconds, long readings)
    {
        var cells = new List<string[]> { (string[])["process", "CPU s", "us a reading", "cores busy", "peak MB"] };
        foreach (var process in processes)
            cells.Add([
                process.Name,
                Number(process.CpuSeconds),
                Number(process.CpuSeconds * 1e6 / Math.Max(1, readings)),
                Number(process.CpuSeconds / seconds),
                Number(process.PeakMegabytes),
            ]);
        Write(output, cells);
    }

    /// <summary>Three digits that count; whole thousands.</summary>
    public static string Number(double value) =>
        Math.Abs(value) switch
        {
            >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
            >= 10 => value.ToString("F1", CultureInfo.InvariantCulture),
            >= 1 or 0 => value.ToString("F2", CultureInfo.InvariantCulture),
            _ => value.ToString("F3", CultureInfo.InvariantCulture),
        };

    public static string Change(double was, double now) =>
        was == 0
            ? (now == 0 ? "0%" : "")
            : ((now - was) / Math.Abs(was))
                .ToString("+0.0%;-0.0%;0%", CultureInfo.InvariantCulture)
                .Replace(" ", "", StringComparison.Ordinal);

    /// <summary>The first column to the left, all others to the right.</summary>
    public static void Write(TextWriter output, List<string[]> cells)
    {
        var widths = Enumerable.Range(0, cells[0].Length).Select(column => cells.Max(row => row[column].Length)).ToArray();
        WriteRow(cells[0]);
        var rules = widths.Select((width, column) => column == 0 ? new string('-', width + 2) : new string('-', width + 1) + ":");
        output.WriteLine($"|{string.Join('|', rules)}|");
        foreach (var row in cells.Skip(1))
            WriteRow(row);

        void WriteRow(string[] row)
        {
            var padded = row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            output.WriteLine($"| {string.Join(" | ", padded)} |");
        }
    }
}
