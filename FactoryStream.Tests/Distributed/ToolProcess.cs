using System.Diagnostics;
using System.Text;
using Aspire.Hosting.Testing;

namespace FactoryStream.Tests.Distributed;

/// <summary>The command lines of simulator and benchmarks, as a user would call them.</summary>
internal static class ToolProcess
{
    /// <summary>Where a project's program was built, beside the tests' own.</summary>
    public static string PathOf(string project) =>
        Path.Combine(AppContext.BaseDirectory.Replace("FactoryStream.Tests", project, StringComparison.Ordinal), $"{project}.dll");

    /// <summary>Runs a project's program to its end; exit code and all output.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(RunningSystem system, string project, params IEnumerable<string> args)
    {
        var start = new ProcessStartInfo("dotnet", [PathOf(project), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["services__ingest__http__0"] = system.App.CreateHttpClient("ingest").BaseAddress!.ToString();
        start.Environment["services__verifier__http__0"] = system.App.CreateHttpClient("verifier").BaseAddress!.ToString();
        start.Environment["Simulator__AdminToken"] = RunningSystem.AdminToken;
        var output = new StringBuilder();
        using var process = new Process { StartInfo = start };
        void Append(object _, DataReceivedEventArgs line)
        {
            lock (output)
                output.AppendLine(line.Data);
        }
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        return (process.ExitCode, output.ToString());
    }
}
