using System.Globalization;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>CPU time of a process by <c>/proc/PID/stat</c>, in clock ticks of 10 ms.</summary>
/// <param name="ParentId">Its parent.</param>
/// <param name="Ticks">Its own, user and system.</param>
/// <param name="EndedChildrenTicks">Of its children, and theirs, that have ended.</param>
internal readonly record struct ProcessStat(int ParentId, long Ticks, long EndedChildrenTicks)
{
    /// <summary>Linux's USER_HZ: 100 on every platform that .NET runs on.</summary>
    public const double TicksPerSecond = 100;

    /// <summary>
    /// Fields by proc(5), of which the second, in parentheses, may itself hold spaces and parentheses:
    /// <c>1234 (postgres: a) S 1 1234 1234 0 -1 4194560 900 0 0 0 150 20 30 4 20 0 1 0 ...</c>: parent 1, 150 + 20 ticks, 30 + 4 of
    /// children.
    /// </summary>
    public static bool TryParse(string stat, out ProcessStat parsed)
    {
        parsed = default;
        var end = stat.LastIndexOf(')');
        if (end < 0 || end + 2 >= stat.Length)
            return false;
        // From the third field, the state, on.
        var fields = stat[(end + 2)..].Split(' ');
        if (fields.Length < 15)
            return false;
        parsed = new ProcessStat(int.Parse(fields[1], CultureInfo.InvariantCulture), Ticks(11) + Ticks(12), Ticks(13) + Ticks(14));
        return true;

        long Ticks(int field) => long.Parse(fields[field], CultureInfo.InvariantCulture);
    }
}

/// <summary>What the whole machine did since it started, of <c>/proc/stat</c>'s first line, in clock ticks.</summary>
internal readonly record struct MachineStat(long Busy, long Idle, long Stolen)
{
    /// <summary>Sample: <c>cpu  3357 0 4313 1362393 10 0 5 2 0 0</c>: user, nice, system, idle, iowait, irq, softirq, steal.</summary>
    public static MachineStat Parse(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1)
            .Select(field => long.Parse(field, CultureInfo.InvariantCulture))
            .ToArray();
        return new MachineStat(fields[0] + fields[1] + fields[2] + fields[5] + fields[6], fields[3] + fields[4], fields[7]);
    }

    public static MachineStat Read() => Parse(File.ReadLines("/proc/stat").First());
}

/// <summary>Reads <c>/proc</c>. A process that has just ended is no error.</summary>
internal static class ProcFiles
{
    /// <summary>
    /// The value of a line of <c>/proc/PID/status</c> or <c>smaps_rollup</c>, e.g. <c>VmHWM: 48692 kB</c>, in bytes; 0: not there.
    /// </summary>
    public static long Kilobytes(IEnumerable<string> lines, string name)
    {
        foreach (var line in lines)
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ':')
                return long.Parse(line.AsSpan(name.Length + 1).Trim()[..^3].Trim(), CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }

    /// <summary>Every process there is.</summary>
    public static Dictionary<int, ProcessStat> All()
    {
        var all = new Dictionary<int, ProcessStat>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid)
                && TryRead($"{folder}/stat") is { } stat
                && ProcessStat.TryParse(stat, out var parsed)
            )
                all[pid] = parsed;
        }
        return all;
    }

    /// <summary>A process and all below it.</summary>
    public static List<int> Tree(IReadOnlyDictionary<int, ProcessStat> all, int root)
    {
        var tree = new List<int>();
        if (all.ContainsKey(root))
            tree.Add(root);
        for (var i = 0; i < tree.Count; i++)
            tree.AddRange(all.Where(process => process.Value.ParentId == tree[i]).Select(process => process.Key));
        return tree;
    }

    public static long PeakBytes(int pid) => TryRead($"/proc/{pid}/status") is { } status ? Kilobytes(status.Split('\n'), "VmHWM") : 0;

    /// <summary>Its part of memory, pages it shares divided by who shares them.</summary>
    public static long ProportionalBytes(int pid) =>
        TryRead($"/proc/{pid}/smaps_rollup") is { } rollup ? Kilobytes(rollup.Split('\n'), "Pss") : 0;

    /// <summary>Its command line; null: it has none, or has ended.</summary>
    public static string[]? Arguments(int pid) =>
        TryRead($"/proc/{pid}/cmdline") is { Length: > 0 } line ? line.TrimEnd('\0').Split('\0') : null;

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>CPU and memory of the system's processes between two moments.</summary>
/// <param name="roots">By name: a process, to which belongs all below it. This process, if it is among them, stands for itself
/// alone.</param>
internal sealed class UsageMeter(IReadOnlyDictionary<string, int> roots)
{
    private readonly Dictionary<string, (long Ticks, long PeakBytes)> begin = [];
    private readonly Dictionary<string, long> peaks = [];
    private MachineStat machine;

    public void Start()
    {
        machine = MachineStat.Read();
        foreach (var (name, usage) in Look())
            begin[name] = usage;
    }

    /// <summary>
    /// Several processes share pages, so that their peaks cannot be added: their proportional parts are, whenever this is called.
    /// </summary>
    public void SampleMemory()
    {
        var all = ProcFiles.All();
        foreach (var (name, root) in roots)
        {
            var tree = TreeOf(all, root);
            if (tree.Count > 1)
                peaks[name] = Math.Max(peaks.GetValueOrDefault(name), tree.Sum(ProcFiles.ProportionalBytes));
        }
    }

    public (IReadOnlyList<ProcessUsage> Processes, double OthersCpuSeconds, double IdleSeconds, double StolenSeconds) Stop()
    {
        var now = MachineStat.Read();
        var processes = Look()
            .Select(process => new ProcessUsage(
                process.Key,
                (process.Value.Ticks - begin.GetValueOrDefault(process.Key).Ticks) / ProcessStat.TicksPerSecond,
                peaks.GetValueOrDefault(process.Key, process.Value.PeakBytes) / 1e6
            ))
            .ToList();
        return (
            processes,
            (now.Busy - machine.Busy) / ProcessStat.TicksPerSecond - processes.Sum(process => process.CpuSeconds),
            (now.Idle - machine.Idle) / ProcessStat.TicksPerSecond,
            (now.Stolen - machine.Stolen) / ProcessStat.TicksPerSecond
        );
    }

    private Dictionary<string, (long Ticks, long PeakBytes)> Look()
    {
        var all = ProcFiles.All();
        return roots.ToDictionary(
            root => root.Key,
            root =>
            {
                var tree = TreeOf(all, root.Value);
                var own = root.Value == Environment.ProcessId;
                return (
                    tree.Sum(pid => all[pid].Ticks + (own ? 0 : all[pid].EndedChildrenTicks)),
                    tree.Select(ProcFiles.PeakBytes).DefaultIfEmpty().Max()
                );
            }
        );
    }

    private static List<int> TreeOf(Dictionary<int, ProcessStat> all, int root) =>
        root == Environment.ProcessId ? [root] : ProcFiles.Tree(all, root);
}

/// <summary>What a process, and all below it, used.</summary>
internal sealed record ProcessUsage(string Name, double CpuSeconds, double PeakMegabytes);
