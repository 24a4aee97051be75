using Aspire.Hosting;
using FactoryStream.LocalHosting.AspireDashboard;

namespace FactoryStream.Tests.LocalHosting.AspireDashboard;

public sealed class DashboardPackageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Cache => Path.Combine(folder.Path, "cache");

    [Fact]
    public async Task It_is_fetched_once_and_only_the_dashboard_is_kept()
    {
        // What npm and the CLI do, less 127 MB.
        Npm("""
            dir=$(sed 's/.*"\(@microsoft[^"]*\)".*/\1/' package.json)/bin
            mkdir -p node_modules/$dir
            cat > node_modules/$dir/aspire <<'CLI'
            #!/bin/sh
            mkdir -p "$3/bundle/managed/wwwroot" "$3/bundle/dcp" "$HOME/.aspire"
            echo program > "$3/bundle/managed/aspire-managed"
            CLI
            chmod +x node_modules/$dir/aspire
            """);
        var said = new List<string>();

        var program = await Package.GetAsync(said.Add, CancellationToken.None);
        Assert.Equal(program, await Package.GetAsync(said.Add, CancellationToken.None));

        Assert.Equal("program\n", await File.ReadAllTextAsync(program));
        Assert.Single(said);
        Assert.Equal([Path.GetFileName(Path.GetDirectoryName(program)!)], new DirectoryInfo(Cache).EnumerateFileSystemInfos().Select(entry => entry.Name));
        Assert.True(Directory.Exists(Path.Combine(Path.GetDirectoryName(program)!, "wwwroot")));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, ".aspire")));
    }

    [Fact]
    public async Task Without_a_network_a_line_says_so_and_nothing_is_left()
    {
        Npm("""
            echo 'npm warn config something' >&2
            echo 'npm error code ENOTFOUND' >&2
            echo 'npm error network request failed, reason: getaddrinfo ENOTFOUND' >&2
            echo 'npm error more' >&2
            exit 1
            """);

        var why = await Assert.ThrowsAsync<DistributedApplicationException>(() => Package.GetAsync(_ => { }, CancellationToken.None));

        Assert.EndsWith(": code ENOTFOUND, network request failed, reason: getaddrinfo ENOTFOUND.", why.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public async Task Without_npm_a_line_says_what_to_install()
    {
        var why = await Assert.ThrowsAsync<DistributedApplicationException>(() =>
            new DashboardPackage(Cache, new Dictionary<string, string> { ["PATH"] = folder.Path }).GetAsync(_ => { }, CancellationToken.None));

        Assert.Equal("npm, which fetches it, is not on this machine (Debian: apt install npm).", why.Message);
    }

    [Fact]
    public void It_is_kept_where_the_users_caches_are()
    {
        Assert.Equal("/caches/factorystream/aspire-dashboard", DashboardPackage.CacheOf(new Dictionary<string, string> { ["XDG_CACHE_HOME"] = "/caches", ["HOME"] = "/home/a" }));
        Assert.Equal("/home/a/.cache/factorystream/aspire-dashboard", DashboardPackage.CacheOf(new Dictionary<string, string> { ["HOME"] = "/home/a" }));
    }

    public void Dispose() => folder.Dispose();

    private DashboardPackage Package => new(Cache, new Dictionary<string, string> { ["PATH"] = $"{folder.Path}:/usr/bin:/bin", ["HOME"] = folder.Path });

    private void Npm(string script)
    {
        var path = Path.Combine(folder.Path, "npm");
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
