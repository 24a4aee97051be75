using System.Globalization;

namespace FactoryStream.AppHost.Hosting;

/// <summary>What /proc knows of processes.</summary>
internal static class Processes
{
    /// <summary>
    /// When a process was started, in ticks since the machine was; null if there is none, or it has ended and only its parent does not know
    /// yet.
    /// </summary>
    public static string? StartTimeOf(int pid)
    {
        try
        {
            // 4711 (a name) S 1 ...: the name may hold anything, so what follows the last bracket counts. The start is the 22nd field.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The words of a process's command line; none if there is no such process.</summary>
    public static string[] CommandOf(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline"))
                .Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>All process ids of this machine.</summary>
    public static IEnumerable<int> All() =>
        Directory
            .EnumerateDirectories("/proc")
            .Select(Path.GetFileName)
            .Select(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0);
}
