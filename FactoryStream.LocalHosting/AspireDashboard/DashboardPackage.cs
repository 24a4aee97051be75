using System.Runtime.InteropServices;
using Aspire.Hosting;
using FactoryStream.LocalHosting.Servers;
using FactoryStream.LocalHosting.Supervision;

namespace FactoryStream.LocalHosting.AspireDashboard;

/// <summary>
/// The Aspire dashboard's own program: packed inside the Aspire CLI, which npm has. Fetched once for each user, version and kind of processor, checked against
/// the checksum below, and kept alone (152 MB) in <c>$XDG_CACHE_HOME/factorystream/aspire-dashboard</c>; a folder copied there from another machine does as well.
/// </summary>
internal sealed class DashboardPackage(string cache, IReadOnlyDictionary<string, string> environment)
{
    public const string Version = "13.5.4";

    private const string ProgramName = "aspire-managed";

    private static readonly TimeSpan DownloadPatience = TimeSpan.FromMinutes(20);

    /// <summary>What an interrupted fetch left is nobody's after this time.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    private static readonly string Architecture = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "x64";

    /// <summary>The package's checksum as npm gives it; where there is none, npm's own check against its registry has to do.</summary>
    private static readonly Dictionary<string, string> Integrity = new()
    {
        ["x64"] = "sha512-8PWeRHM1+QwQB2wxDnfPsimi3EW01r04b4DjX0jIDE78SlfJabwVfYArW/48vDzYvPzKSRye6DIPVAsCFoXjBA==",
    };

    /// <summary>Where the folder of a user is.</summary>
    public static string CacheOf(IReadOnlyDictionary<string, string> environment)
    {
        var caches = environment.GetValueOrDefault("XDG_CACHE_HOME") is { Length: > 0 } named ? named
            : Path.Combine(environment.GetValueOrDefault("HOME") is { Length: > 0 } home ? home : Path.GetTempPath(), ".cache");
        return Path.Combine(caches, "factorystream", "aspire-dashboard");
    }

    /// <summary>Where the program is, or will be once it was fetched.</summary>
    public string ProgramPath => Path.Combine(Folder, ProgramName);

    private string Folder => Path.Combine(cache, $"{Version}-{Architecture}");

    /// <summary>The program, fetched if it is not there yet.</summary>
    /// <exception cref="DistributedApplicationException">It cannot be had; why, in a line.</exception>
    public async Task<string> GetAsync(Action<string> say, CancellationToken cancellationToken)
    {
        if (File.Exists(ProgramPath))
            return ProgramPath;
        var npm = ChildProcess.FindOnPath("npm", environment.GetValueOrDefault("PATH"))
            ?? throw new DistributedApplicationException("npm, which fetches it, is not on this machine (Debian: apt install npm).");
        say($"Fetching the Aspire dashboard {Version} by npm: 127 MB, this once.");
        var stage = Path.Combine(cache, $".fetch-{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(stage);
            foreach (var left in new DirectoryInfo(cache).EnumerateDirectories(".fetch-*").Where(left => left.CreationTimeUtc < File.GetCreationTimeUtc(stage) - Abandoned))
                left.Delete(recursive: true);
            await FetchAsync(npm, stage, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or TimeoutException)
        {
            throw new DistributedApplicationException(exception.Message, exception);
        }
        finally
        {
            if (Directory.Exists(stage))
                Directory.Delete(stage, recursive: true);
        }
        return ProgramPath;
    }

    private async Task FetchAsync(string npm, string stage, CancellationToken cancellationToken)
    {
        var package = $"@microsoft/aspire-cli-linux-{Architecture}";
        var integrity = Integrity.TryGetValue(Architecture, out var checksum) ? $", \"integrity\": \"{checksum}\"" : "";
        await File.WriteAllTextAsync(Path.Combine(stage, "package.json"), $$$"""{"dependencies": {"{{{package}}}": "{{{Version}}}"}}""", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(stage, "package-lock.json"), $$"""
            {
              "lockfileVersion": 3,
              "requires": true,
              "packages": {
                "": { "dependencies": { "{{package}}": "{{Version}}" } },
                "node_modules/{{package}}": { "version": "{{Version}}"{{integrity}} }
              }
            }
            """, cancellationToken);
        string[] install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--cache", Path.Combine(stage, "npm")];
        try
        {
            await Programs.RunAsync(new ProcessSpec(npm, install, environment, stage), "npm cannot fetch it", cancellationToken, DownloadPatience);
        }
        catch (DistributedApplicationException exception)
        {
            // npm error code ENOTFOUND / npm error network request to ... failed, reason: ...
            var reasons = exception.Message.Split('\n').Where(line => line.StartsWith("npm error ", StringComparison.Ordinal)).Take(2).Select(line => line["npm error ".Length..].Trim());
            throw new DistributedApplicationException($"npm cannot fetch {package} {Version}: {string.Join(", ", reasons)}.", exception);
        }

        // It unpacks a second copy into the home folder.
        var home = Path.Combine(stage, "home");
        Directory.CreateDirectory(home);
        var setup = new ProcessSpec(
            Path.Combine(stage, "node_modules", package, "bin", "aspire"), ["setup", "--install-path", Path.Combine(stage, "unpacked"), "--non-interactive", "--nologo"],
            new Dictionary<string, string>(environment) { ["HOME"] = home }, stage);
        await Programs.RunAsync(setup, "It cannot be unpacked", cancellationToken);

        var unpacked = Path.Combine(stage, "unpacked", "bundle", "managed");
        if (!File.Exists(Path.Combine(unpacked, ProgramName)))
            throw new DistributedApplicationException($"{package} {Version} holds no {ProgramName}.");
        try
        {
            Directory.Move(unpacked, Folder);
        }
        catch (IOException) when (File.Exists(ProgramPath))
        {
            // Another AppHost of this user was faster.
        }
    }
}
