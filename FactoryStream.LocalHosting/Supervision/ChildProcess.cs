using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>What to run, and how it wants to be ended.</summary>
internal sealed record ProcessSpec(string File, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string WorkingDirectory)
{
    /// <summary>The signal that asks it to end. PostgreSQL's fast shutdown is SIGINT: its SIGTERM waits for clients.</summary>
    public int StopSignal { get; init; } = Native.SigTerm;

    /// <summary>How long it may take to end before it is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// A process in a session of its own, so that a terminal's Ctrl-C reaches the AppHost alone, which knows the right order.
/// Its output is always read, so that it never waits for a reader.
/// </summary>
internal sealed unsafe class ChildProcess
{
    /// <summary>A longer line is cut into several.</summary>
    private const int LongestLine = 16 * 1024;

    // Larger than glibc's and musl's own structures on any architecture .NET runs on.
    private const int AttributesSize = 512;
    private const int ActionsSize = 256;
    private const int SignalSetSize = 256;

    private readonly Lock gate = new();
    private readonly TaskCompletionSource<int> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool reaped;

    private ChildProcess(int id)
    {
        Id = id;
    }

    public int Id { get; }

    /// <summary>The exit code; 128 and the signal's number if it was ended by a signal.</summary>
    public Task<int> Exited => exited.Task;

    /// <summary>Nobody holds its output any more, and all of it was read.</summary>
    public Task Drained => drained.Task;

    /// <summary>Starts a process. <paramref name="inputFd"/>: what it reads from, /dev/null if negative.</summary>
    public static ChildProcess Start(ProcessSpec spec, Action<string, bool> onLine, int inputFd = -1)
    {
        if (!Directory.Exists(spec.WorkingDirectory))
            throw new DirectoryNotFoundException($"The working directory {spec.WorkingDirectory} of {spec.File} is not there.");
        var file = FindOnPath(spec.File, spec.Environment.GetValueOrDefault("PATH")) ?? throw new FileNotFoundException($"{spec.File} is not there.");

        int* output = stackalloc int[2];
        int* error = stackalloc int[2];
        Check(Native.Pipe(output, Native.CloseOnExec), "pipe2");
        Check(Native.Pipe(error, Native.CloseOnExec), "pipe2");
        byte* actions = stackalloc byte[ActionsSize];
        byte* attributes = stackalloc byte[AttributesSize];
        byte* signals = stackalloc byte[SignalSetSize];
        var arguments = Marshal.AllocHGlobal((spec.Arguments.Count + 2) * sizeof(byte*));
        var environment = Marshal.AllocHGlobal((spec.Environment.Count + 1) * sizeof(byte*));
        new Span<nint>((void*)arguments, spec.Arguments.Count + 2).Clear();
        new Span<nint>((void*)environment, spec.Environment.Count + 1).Clear();
        var pid = 0;
        int failure;
        try
        {
            Fill((byte**)arguments, [file, .. spec.Arguments]);
            Fill((byte**)environment, spec.Environment.Select(variable => $"{variable.Key}={variable.Value}"));

            _ = Native.SpawnActionsInit(actions);
            if (inputFd < 0)
                _ = Native.SpawnActionsOpen(actions, 0, "/dev/null", Native.OpenReadOnly, 0);
            else
                _ = Native.SpawnActionsDup(actions, inputFd, 0);
            _ = Native.SpawnActionsDup(actions, output[1], 1);
            _ = Native.SpawnActionsDup(actions, error[1], 2);
            _ = Native.SpawnActionsChangeFolder(actions, spec.WorkingDirectory);

            // The .NET runtime ignores and blocks signals for itself; a child begins as if started by a shell.
            _ = Native.SpawnAttributesInit(attributes);
            _ = Native.SpawnAttributesSetFlags(attributes, Native.SpawnSetSid | Native.SpawnSetSigDef | Native.SpawnSetSigMask);
            _ = Native.SignalSetFill(signals);
            _ = Native.SpawnAttributesSetSigDefault(attributes, signals);
            _ = Native.SignalSetEmpty(signals);
            _ = Native.SpawnAttributesSetSigMask(attributes, signals);

            failure = Native.Spawn(&pid, file, actions, attributes, (byte**)arguments, (byte**)environment);
            _ = Native.SpawnActionsDestroy(actions);
            _ = Native.SpawnAttributesDestroy(attributes);
        }
        finally
        {
            Release((byte**)arguments);
            Release((byte**)environment);
            _ = Native.Close(output[1]);
            _ = Native.Close(error[1]);
        }
        if (failure != 0)
        {
            _ = Native.Close(output[0]);
            _ = Native.Close(error[0]);
            throw new Win32Exception(failure, $"{file} cannot be started: {Marshal.GetPInvokeErrorMessage(failure)}");
        }

        var process = new ChildProcess(pid);
        var (outputFd, errorFd) = (output[0], error[0]);
        new Thread(() => process.Drain(outputFd, errorFd, onLine), 256 * 1024) { IsBackground = true, Name = $"output of {pid}" }.Start();
        new Thread(process.Wait, 256 * 1024) { IsBackground = true, Name = $"wait for {pid}" }.Start();
        return process;
    }

    /// <summary>Sends a signal to the process, if it is still there; never to another that got its number.</summary>
    public void Signal(int signal)
    {
        lock (gate)
        {
            if (!reaped)
                _ = Native.Kill(Id, signal);
        }
    }

    /// <summary>When a process was started, in the kernel's ticks: with its number it names a process beyond doubt. Null: there is none.</summary>
    public static string? StartTimeOf(int pid)
    {
        try
        {
            // 4711 (a (strange) name) S 1 ... : the 22nd field, counted behind the last parenthesis, where the third begins.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The file that a command's name means.</summary>
    public static string? FindOnPath(string command, string? path = null)
    {
        if (command.Contains('/', StringComparison.Ordinal))
            return File.Exists(command) ? command : null;
        return (path ?? System.Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
    }

    private void Wait()
    {
        byte* info = stackalloc byte[128];
        // First only look, so that the number stays taken until no signal can be sent to it any more.
        while (Native.WaitId(Native.ByPid, Id, info, Native.WaitExited | Native.WaitLeaveZombie) != 0 && Marshal.GetLastPInvokeError() == 4 /* EINTR */)
        {
        }
        int status;
        lock (gate)
        {
            while (Native.WaitPid(Id, &status, 0) < 0 && Marshal.GetLastPInvokeError() == 4)
            {
            }
            reaped = true;
        }
        exited.TrySetResult((status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f));
    }

    private void Drain(int outputFd, int errorFd, Action<string, bool> onLine)
    {
        const int size = 32 * 1024;
        var buffer = (byte*)NativeMemory.Alloc(size);
        var lines = new[] { new LineBuffer(line => onLine(line, false)), new LineBuffer(line => onLine(line, true)) };
        var polled = stackalloc Native.PollFd[2];
        polled[0] = new Native.PollFd { Fd = outputFd, Events = Native.PollIn };
        polled[1] = new Native.PollFd { Fd = errorFd, Events = Native.PollIn };
        while (polled[0].Fd >= 0 || polled[1].Fd >= 0)
        {
            if (Native.Poll(polled, 2, -1) < 0)
                continue;
            for (var i = 0; i < 2; i++)
            {
                if (polled[i].Fd < 0 || polled[i].Returned == 0)
                    continue;
                var count = Native.Read(polled[i].Fd, buffer, size);
                if (count > 0)
                {
                    lines[i].Add(new ReadOnlySpan<byte>(buffer, (int)count));
                }
                else if (count == 0 || Marshal.GetLastPInvokeError() != 4)
                {
                    lines[i].Flush();
                    _ = Native.Close(polled[i].Fd);
                    polled[i].Fd = -1;
                }
            }
        }
        NativeMemory.Free(buffer);
        drained.TrySetResult();
    }

    private static void Fill(byte** array, IEnumerable<string> values)
    {
        var i = 0;
        foreach (var value in values)
            array[i++] = (byte*)Marshal.StringToCoTaskMemUTF8(value);
    }

    private static void Release(byte** array)
    {
        for (var i = 0; array[i] is not null; i++)
            Marshal.FreeCoTaskMem((nint)array[i]);
        Marshal.FreeHGlobal((nint)array);
    }

    private static void Check(int result, string call)
    {
        if (result < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private sealed class LineBuffer(Action<string> onLine)
    {
        private readonly List<byte> rest = [];

        public void Add(ReadOnlySpan<byte> bytes)
        {
            while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
            {
                rest.AddRange(bytes[..end]);
                Flush(always: true);
                bytes = bytes[(end + 1)..];
            }
            rest.AddRange(bytes);
            while (rest.Count > LongestLine)
                Flush(always: true);
        }

        public void Flush(bool always = false)
        {
            if (rest.Count == 0 && !always)
                return;
            var length = Math.Min(rest.Count, LongestLine);
            var line = CollectionsMarshal.AsSpan(rest)[..length];
            onLine(Encoding.UTF8.GetString(line.EndsWith("\r"u8) ? line[..^1] : line));
            rest.RemoveRange(0, length);
        }
    }
}
