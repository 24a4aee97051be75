using System.ComponentModel;
using System.Diagnostics;

namespace FactoryStream.AppHost.Hosting;

/// <summary>How a server runs.</summary>
internal enum ServerKind
{
    /// <summary>A container.</summary>
    Container,

    /// <summary>A process of this machine.</summary>
    Process,

    /// <summary>A server of the user's own, by its connection string.</summary>
    Own,
}

/// <summary>Which kind of server it is to be, and why.</summary>
internal sealed record ServerChoice(ServerKind Kind, string Reason)
{
    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(5);

    private static readonly Lazy<string?> Engine = new(FindEngine);

    /// <summary>For the connection string of that name.</summary>
    public static ServerChoice Of(IDistributedApplicationBuilder builder, string name) =>
        Of(
            builder.ExecutionContext.IsPublishMode,
            builder.Configuration.GetConnectionString(name),
            builder.Settings().Containers,
            () => Engine.Value
        );

    /// <summary>
    /// A published application has containers; otherwise the user's own server goes first, then what the user says, then what there is.
    /// </summary>
    public static ServerChoice Of(bool isPublished, string? connectionString, bool? containers, Func<string?> findEngine) =>
        isPublished ? new(ServerKind.Container, "a container, as published")
        : !string.IsNullOrEmpty(connectionString) ? new(ServerKind.Own, "a server of your own, since its connection string is set")
        : containers is { } isContainer
            ? isContainer ? new(ServerKind.Container, "a container, as told by --containers")
                : new(ServerKind.Process, "a process, as told by --containers")
        : findEngine() is { } engine ? new(ServerKind.Container, $"a container, since {engine} is within reach")
        : new(ServerKind.Process, "a process, since no container engine is within reach");

    /// <summary>
    /// A container without an engine would be waited for without a word: what is missing is said before anything is started.
    /// </summary>
    public void MustBePossible(string name) => MustBePossible(name, () => Engine.Value);

    /// <inheritdoc cref="MustBePossible(string)"/>
    public void MustBePossible(string name, Func<string?> findEngine)
    {
        if (Kind == ServerKind.Container && findEngine() is null)
            throw new DistributedApplicationException(
                $"{name} is to be {Reason}, but no container engine responds: "
                    + "neither docker nor podman. Start one, or leave --containers out: then it is a process of this machine."
            );
    }

    /// <summary>A container engine that responds.</summary>
    private static string? FindEngine()
    {
        (string Program, string[] Arguments)[] engines = [("docker", ["version", "--format", "{{.Server.Version}}"]), ("podman", ["info"])];
        return engines
            .Where(engine => Programs.Find(engine.Program) is not null)
            .Select(engine => Responds(engine.Program, engine.Arguments) ? engine.Program : null)
            .FirstOrDefault(engine => engine is not null);
    }

    private static bool Responds(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            if (process.WaitForExit(EnginePatience))
                return process.ExitCode == 0;
            process.Kill(entireProcessTree: true);
            return false;
        }
        catch (Win32Exception)
        {
            // It is there but cannot be run: no engine for this user.
            return false;
        }
    }
}
