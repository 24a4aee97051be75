using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace FactoryStream.LocalHosting;

/// <summary>What the local way itself is told: by command line, environment or appsettings.</summary>
/// <param name="Configuration">Everything.</param>
/// <param name="AppHostDirectory">The AppHost's folder.</param>
/// <param name="EnvironmentName">The AppHost's environment.</param>
/// <param name="IsTest">Random ports, a data folder of its own that is deleted in the end, no output.</param>
internal sealed record AppHostSettings(IConfiguration Configuration, string AppHostDirectory, string EnvironmentName, bool IsTest)
{
    /// <summary>The folder that data, keys and secrets live in, if one was named: <c>data</c>.</summary>
    public string? NamedDataFolder => Configuration["data"] is { Length: > 0 } path ? Path.GetFullPath(path) : null;

    /// <summary>A folder of this user and this checkout.</summary>
    public string StandardDataFolder
    {
        get
        {
            var checkout = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(AppHostDirectory, "..")));
            var name = $"{Path.GetFileName(checkout)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(checkout)).AsSpan(0, 4))}";
            // A server that runs as another user than root must be able to reach its files: nobody can in /root.
            var parent = Environment.IsPrivilegedProcess ? "/var/lib"
                : Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } home ? home
                : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return Path.Combine(parent, "factorystream", name);
        }
    }
}
