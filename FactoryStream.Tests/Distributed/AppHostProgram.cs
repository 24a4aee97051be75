using System.Collections.Concurrent;
using System.Diagnostics;
using FactoryStream.AppHost.Hosting;
using FactoryStream.Tests.AppHost;

namespace FactoryStream.Tests.Distributed;

/// <summary>The AppHost as its user starts it: a process, with a console that can be read and that Ctrl-C ends.</summary>
internal sealed class AppHostProgram : IDisposable
{
    /// <summary>In the environment of everything that it starts, however far it forks.</summary>
    private const string Mark = "FACTORYSTREAM_TEST_RUN";

    private readonly string run = Guid.NewGuid().ToString("N");
    private readonly ConcurrentQueue<string> console = new();
    private readonly Process process;

    public AppHostProgram(string[] args, IReadOnlyDictionary<string, string>? environment = null)
    {
        // What runs in the background of a shell ignores Ctrl-C, and so does what it starts: a user's terminal does not.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", LocalServers.AppHost, .. args])
        {
            WorkingDirectory = Projects.FactoryStream_AppHost.ProjectPath,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Mark] = run;
        start.Environment["DOTNET_ROOT"] = Programs.DotNetRoot;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => console.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => console.Enqueue(line.Data ?? "");
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public string Console => string.Join('\n', console);

    public void Interrupt() => Assert.Equal(0, Native.Kill(process.Id, Native.SigInt));

    public void Terminate() => Assert.Equal(0, Native.Kill(process.Id, Native.SigTerm));

    /// <summary>Ends it alone, as a power cut would.</summary>
    public void Kill() => process.Kill();

    /// <summary>Waits for its end.</summary>
    /// <param name="patience">How long; the tests' patience if it is not said.</param>
    public async Task<int> ExitCodeAsync(TimeSpan? patience = null)
    {
        await process.WaitForExitAsync().WaitAsync(patience ?? RunningSystem.Patience);
        return process.ExitCode;
    }

    public async Task UntilAsync(Func<Task<bool>> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < RunningSystem.Patience, Console);
            await Task.Delay(50, CancellationToken.None);
        }
    }

    /// <summary>Waits until nothing that it started is left.</summary>
    public async Task AloneAsync()
    {
        var watch = Stopwatch.StartNew();
        while (Environments().Keys.ToArray() is { Length: > 0 } left)
        {
            Assert.True(watch.Elapsed < RunningSystem.Patience, $"left: {string.Join("; ", left.Select(CommandLine))}\n{Console}");
            await Task.Delay(50, CancellationToken.None);
        }

        static string CommandLine(int pid) =>
            File.Exists($"/proc/{pid}/cmdline") ? $"{pid} {File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ')}" : $"{pid}";
    }

    /// <summary>The environments of all processes of this run, by process id; one that has ended has none any more.</summary>
    public IReadOnlyDictionary<int, string[]> Environments()
    {
        var found = new Dictionary<int, string[]>();
        foreach (var pid in Processes.All())
        {
            try
            {
                var environment = File.ReadAllText($"/proc/{pid}/environ").Split('\0');
                if (environment.Contains($"{Mark}={run}"))
                    found[pid] = environment;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Of another user, or just ended: not of this run.
            }
        }
        return found;
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.Dispose();
    }
}
