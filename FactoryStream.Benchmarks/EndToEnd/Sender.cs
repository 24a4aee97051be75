using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary><c>load</c> in a process of its own, so that what sending costs is not mixed up with anything else.</summary>
internal sealed class Sender : IDisposable
{
    private readonly Process process;
    private readonly string report;

    private Sender(Process process, string report) => (this.process, this.report) = (process, report);

    public int ProcessId => process.Id;

    /// <summary>Begins to send a corpus.</summary>
    public static Sender Start(SystemUnderLoad system, string corpus, string keys, BenchOptions options, double rate, double? seconds)
    {
        var report = Path.Combine(Path.GetTempPath(), $"factorystream-bench-{Guid.NewGuid():N}.json");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(Sender).Assembly.Location);
        string[] arguments =
        [
            "load",
            "--corpus",
            corpus,
            "--keys",
            keys,
            "--out",
            report,
            "--connections",
            Text(options.Connections),
            "--rate",
            Text(rate),
            "--ingest",
            system.Ingest.ToString(),
            "--verifier",
            system.Verifier.ToString(),
            .. seconds is { } limit ? (string[])["--seconds", Text(limit)] : [],
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["Simulator__AdminToken"] = system.AdminToken;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return new Sender(process, report);

        static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
    }

    public bool HasEnded => process.HasExited;

    /// <summary>Waits for its end.</summary>
    /// <exception cref="UsageException">It could not send at all.</exception>
    public async Task<LoadReport> ReportAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken);
        if (!File.Exists(report))
            throw new UsageException($"The sender ended with {process.ExitCode} and no report.");
        return JsonSerializer.Deserialize(await File.ReadAllBytesAsync(report, cancellationToken), LoadJson.Default.LoadReport)!;
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
        File.Delete(report);
    }
}
