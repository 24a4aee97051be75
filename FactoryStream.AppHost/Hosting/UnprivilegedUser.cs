using System.Globalization;

namespace FactoryStream.AppHost.Hosting;

/// <summary>The user that a server runs as which refuses to run as root.</summary>
internal sealed record UnprivilegedUser(string Name, int UserId, int GroupId)
{
    public static UnprivilegedUser Find()
    {
        // postgres:x:104:106:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
        var users = File.ReadLines("/etc/passwd")
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length > 3)
            .ToDictionary(fields => fields[0], fields => fields);
        foreach (var name in (string[])["postgres", "nobody"])
        {
            if (users.TryGetValue(name, out var fields))
                return new UnprivilegedUser(
                    name,
                    int.Parse(fields[2], CultureInfo.InvariantCulture),
                    int.Parse(fields[3], CultureInfo.InvariantCulture)
                );
        }
        throw new DistributedApplicationException(
            "PostgreSQL does not run as root, and there is neither a user 'postgres' nor "
                + "'nobody'. Start the AppHost as an ordinary user."
        );
    }

    /// <summary>Hands a file or folder over.</summary>
    public void Own(string path)
    {
        if (Native.ChangeOwner(path, UserId, GroupId) != 0)
            throw new DistributedApplicationException($"{path} cannot be given to the user {Name}.");
    }

    /// <summary>Sees to it that the user can pass through all folders above.</summary>
    public void MustReach(string path)
    {
        for (var folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if ((File.GetUnixFileMode(folder) & UnixFileMode.OtherExecute) == 0)
            {
                throw new DistributedApplicationException(
                    $"PostgreSQL runs as the user {Name} when the AppHost is run by root, and that user cannot pass through "
                        + $"{folder}. Name another folder by --data FOLDER, or chmod o+x {folder}."
                );
            }
        }
    }

    /// <summary>The same command, run by this user; it keeps its process number.</summary>
    public string[] Run(IEnumerable<string> command)
    {
        var ids = (User: UserId.ToString(CultureInfo.InvariantCulture), Group: GroupId.ToString(CultureInfo.InvariantCulture));
        if (Programs.Find("setpriv") is { } setpriv)
            return [setpriv, $"--reuid={ids.User}", $"--regid={ids.Group}", "--clear-groups", .. command];
        if (Programs.Find("chroot") is { } chroot)
            return [chroot, $"--userspec={ids.User}:{ids.Group}", "--skip-chdir", "/", .. command];
        throw new DistributedApplicationException(
            "PostgreSQL does not run as root, and neither setpriv nor chroot is there to change the user. Start the AppHost as an "
                + "ordinary user."
        );
    }
}
