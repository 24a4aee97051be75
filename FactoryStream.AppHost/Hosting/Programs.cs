using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FactoryStream.AppHost.Hosting;

/// <summary>The machine's programs: where they are, and those that run to their end.</summary>
internal static class Programs
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The folder of the .NET that this AppHost runs on, for its services to run on the same.</summary>
    public static string DotNetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    /// <summary>A program's file, or null if there is none of that name.</summary>
    public static string? Find(string command)
    {
        if (command.Contains('/', StringComparison.Ordinal))
            return File.Exists(command) ? command : null;
        return (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, command))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>
    /// The program that a project was built to, beside the AppHost's own: configuration and framework are the last two folders of where
    /// this AppHost, or the test that runs it, was built to. Null if it is not there.
    /// </summary>
    public static string? BuiltFrom(string projectPath)
    {
        var here = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        if (here.Parent is null)
            return null;
        var file = Path.Combine(
            Path.GetDirectoryName(projectPath)!,
            "bin",
            here.Parent.Name,
            here.Name,
            Path.GetFileNameWithoutExtension(projectPath) + (OperatingSystem.IsWindows() ? ".exe" : "")
        );
        return File.Exists(file) ? file : null;
    }

    /// <summary>What a program wrote; an error with its last words if it failed.</summary>
    public static async Task<string> RunAsync(
        IReadOnlyList<string> command,
        string folder,
        string failure,
        CancellationToken cancellationToken
    )
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Patience);
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command.Skip(1))
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        // Without an argument PostgreSQL's tools take PGDATA, PGPORT and the like.
        foreach (
            var variable in process.StartInfo.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToArray()
        )
            process.StartInfo.Environment.Remove(variable);
        process.StartInfo.Environment["HOME"] = folder;
        process.Start();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var error = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            var text = await output + await error;
            return process.ExitCode == 0
                ? text
                : throw new DistributedApplicationException(
                    $"{failure}: {Path.GetFileName(command[0])} ended with exit code " + $"{process.ExitCode}.\n{text}"
                );
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
