using System.ComponentModel;
using System.Runtime.InteropServices;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>
/// A small process in a session of its own that outlives the AppHost, however that ends, and leaves no process of the run behind.
/// It waits on a pipe that only the AppHost holds the other end of: the kernel closes it for the dead.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    /// <summary>The environment variable that marks the processes of a run.</summary>
    public const string RunVariable = "FACTORYSTREAM_RUN";

    /// <summary>The environment variable that marks the processes of an instance of a resource.</summary>
    public const string InstanceVariable = "FACTORYSTREAM_INSTANCE";

    private static readonly string Script = ReadScript();

    private readonly string mark;
    private readonly string register;
    private readonly string? temporary;
    private readonly int pipeEnd;
    private bool ending;

    private Watchdog(string mark, string register, string? temporary)
    {
        (this.mark, this.register, this.temporary) = (mark, register, temporary);
        int readEnd;
        unsafe
        {
            int* pipe = stackalloc int[2];
            if (Native.Pipe(pipe, Native.CloseOnExec) < 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            (readEnd, pipeEnd) = (pipe[0], pipe[1]);
        }
        _ = KeepAliveAsync(readEnd);
    }

    /// <summary>The number of the watchdog's process.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Watches over a run. <paramref name="register"/>: the file that lists its processes; <paramref name="temporary"/>: a folder to remove in the end.</summary>
    public static Watchdog Start(string run, string register, string? temporary) => new($"{RunVariable}={run}", register, temporary);

    /// <summary>Ends at once what is left of a run or an instance, and waits until it has.</summary>
    public static async Task SweepAsync(string variable, string value, string register)
    {
        var sweep = ChildProcess.Start(Spec($"{variable}={value}", register, null), (_, _) => { });
        await sweep.Exited;
    }

    /// <summary>Lets the watchdog go: it finds nothing left, and ends.</summary>
    public void Dispose()
    {
        if (ending)
            return;
        ending = true;
        _ = Native.Close(pipeEnd);
    }

    /// <summary>A watchdog that was killed itself is started again.</summary>
    private async Task KeepAliveAsync(int readEnd)
    {
        while (!ending)
        {
            var process = ChildProcess.Start(Spec(mark, register, temporary), (_, _) => { }, readEnd);
            ProcessId = process.Id;
            await process.Exited;
        }
        _ = Native.Close(readEnd);
    }

    private static ProcessSpec Spec(string mark, string register, string? temporary) => new(
        "/bin/sh", ["-c", Script, "factorystream-watchdog", mark, register, temporary ?? ""],
        new Dictionary<string, string> { ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" }, "/");

    private static string ReadScript()
    {
        using var stream = typeof(Watchdog).Assembly.GetManifestResourceStream("watchdog.sh") ?? throw new InvalidOperationException("The watchdog's script is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
