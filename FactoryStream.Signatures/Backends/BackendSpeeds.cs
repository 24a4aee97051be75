using System.Collections.Concurrent;

namespace FactoryStream.Signatures.Backends;

/// <summary>
/// Remembers for the process which backend is slower than OpenSSL here: another compiler or processor may have turned a fast kernel into a
/// slow one.
/// </summary>
internal static class BackendSpeeds
{
    private static readonly ConcurrentDictionary<string, Lazy<string?>> Known = new();

    public static string? FindSlowness(ISignatureBackend backend) =>
        Known.GetOrAdd(backend.Name, static (_, backend) => new Lazy<string?>(() => KnownAnswers.FindSlowness(backend)), backend).Value;
}
