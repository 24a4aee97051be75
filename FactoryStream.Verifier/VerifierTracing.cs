using System.Diagnostics;

namespace FactoryStream.Verifier;

/// <summary>The spans of what was polled and of what was sent.</summary>
internal static class VerifierTracing
{
    public static ActivitySource Source { get; } = new("FactoryStream.Verifier");
}
