using System.Diagnostics.Metrics;
using FactoryStream.Signatures;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Verification;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.Verifier;

/// <summary>What the partitions of one test share: metrics, a key of factory f1 and the check of lines.</summary>
internal sealed class VerifierParts : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly SignatureVerifier signatures = new();

    public SigningKey Key { get; } = Factories.Key("f1", 0);

    public VerifierMetrics Metrics { get; }

    public LineVerifier Verifier { get; }

    public VerifierParts()
    {
        Metrics = new VerifierMetrics(services.GetRequiredService<IMeterFactory>(), signatures);
        Verifier = new LineVerifier(signatures, TimeSpan.FromSeconds(60));
    }

    /// <summary>What becomes of an accepted line: compact around the same data and signature, with the key's id.</summary>
    public string Expected(string line) => line[..^1] + $",\"key_id\":\"{Key.KeyId}\"}}";

    public void Dispose()
    {
        Metrics.Dispose();
        signatures.Dispose();
        services.Dispose();
    }
}
