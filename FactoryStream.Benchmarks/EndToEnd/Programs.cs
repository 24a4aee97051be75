using System.Diagnostics;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>Programs of this machine that a measurement calls.</summary>
internal static class Programs
{
    /// <summary>Its path; null: it is not on this machine. Debian keeps PostgreSQL's own out of PATH.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Concat(
                Directory.Exists("/usr/lib/postgresql")
                    ? Directory
                        .EnumerateDirectories("/usr/lib/postgresql")
                        .OrderDescending(StringComparer.Ordinal)
                        .Select(version => Path.Combine(version, "bin"))
                    : []
            )
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    public static async Task RunAsync(string program, IEnumerable<string> arguments, string? password, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        if (password is not null)
            start.Environment["PGPASSWORD"] = password;
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new UsageException($"{program} ended with {process.ExitCode}: {errors.Trim()}");
    }
}
