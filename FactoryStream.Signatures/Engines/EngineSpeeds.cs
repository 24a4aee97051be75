using System.Collections.Concurrent;

namespace FactoryStream.Signatures.Engines;

/// <summary>Remembers for the process which engine is slower than OpenSSL here: another compiler or processor may have turned a fast kernel into a slow one.</summary>
internal static class EngineSpeeds
{
    private static readonly ConcurrentDictionary<string, Lazy<string?>> Known = new();

    public static string? FindSlowness(IBatchEngine engine) =>
        Known.GetOrAdd(engine.Name, static (_, engine) => new Lazy<string?>(() => KnownAnswers.FindSlowness(engine)), engine).Value;
}
