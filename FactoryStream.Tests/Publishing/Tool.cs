using System.Diagnostics;

namespace FactoryStream.Tests.Publishing;

/// <summary>Programs that check published files.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Lock Unpacking = new();
    private static string? helm;

    /// <summary>Runs Helm and returns its output; a failure is the test's.</summary>
    public static async Task<string> HelmAsync(params string[] args)
    {
        var (exitCode, output, error) = await RunAsync(Helm(), args);
        Assert.True(exitCode == 0, $"helm {string.Join(' ', args)}: {error}{output}");
        return output;
    }

    /// <summary>Runs Helm where it must refuse, and returns what it says.</summary>
    public static async Task<string> HelmRefusesAsync(params string[] args)
    {
        var (exitCode, _, error) = await RunAsync(Helm(), args);
        Assert.NotEqual(0, exitCode);
        return error;
    }

    /// <summary>Holds objects against the schemas of Kubernetes; returns the summary.</summary>
    public static async Task<string> KubeconformAsync(string file)
    {
        var folder = SharedData.Require("tools/kubernetes");
        var (exitCode, output, error) = await RunAsync(
            Path.Combine(folder, "kubeconform"),
            "-strict",
            "-summary",
            "-skip",
            "ScaledObject",
            "-schema-location",
            Path.Combine(folder, "schemas", "{{.ResourceKind}}{{.KindSuffix}}.json"),
            file
        );
        Assert.True(exitCode == 0, output + error);
        return output.Trim();
    }

    public static Task<(int ExitCode, string Output, string Error)> RunAsync(string program, params string[] args) =>
        RunInAsync("", program, args);

    public static async Task<(int ExitCode, string Output, string Error)> RunInAsync(string directory, string program, params string[] args)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, args)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = directory,
            }
        )!;
        using var timeout = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Helm, unpacked once for all tests of the process.</summary>
    private static string Helm()
    {
        var packed = SharedData.Require("tools/kubernetes/helm.xz");
        Skip.IfNot(File.Exists("/usr/bin/xz"), "xz is not installed, which unpacks Helm");
        lock (Unpacking)
        {
            if (helm is not null)
                return helm;
            var folder = new TemporaryFolder();
            AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
            var unpacked = Path.Combine(folder.Path, "helm");
            using var process = Process.Start("/bin/sh", ["-c", "exec xz -dc \"$0\" > \"$1\"", packed, unpacked]);
            Assert.True(process.WaitForExit(Patience) && process.ExitCode == 0, $"xz could not unpack {packed}");
            File.SetUnixFileMode(unpacked, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return helm = unpacked;
        }
    }
}
