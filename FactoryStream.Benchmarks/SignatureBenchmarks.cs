using BenchmarkDotNet.Attributes;
using FactoryStream.Signatures;

namespace FactoryStream.Benchmarks;

/// <summary>What does the check of one signature cost, by backend, salt, key size and how many come at once?</summary>
[MemoryDiagnoser]
public class SignatureBenchmarks : IDisposable
{
    private SignatureCheck[] _checks = [];
    private bool[] _results = [];
    private SignatureVerifier? _verifier;

    [Params(SignatureBackends.OpenSsl, SignatureBackends.OpenSsl | SignatureBackends.Avx2, SignatureBackends.All)]
    public SignatureBackends Backends { get; set; }

    [Params(SaltLength.Digest, SaltLength.Maximum)]
    public SaltLength Salt { get; set; }

    [Params(2048, 4096)]
    public int KeySizeBits { get; set; }

    /// <summary>512 is the Verifier under load, 5 a trickle that fills no batch.</summary>
    [Params(5, 512)]
    public int AtOnce { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _verifier = new SignatureVerifier(new() { AllowedBackends = Backends });
        _checks = SignatureSamples.Create(KeySizeBits, Salt, 512, keys: KeySizeBits == 2048 ? 64 : 8);
        _results = new bool[_checks.Length];
    }

    [Benchmark(OperationsPerInvoke = 512)]
    public bool Verify()
    {
        for (var i = 0; i < _checks.Length; i += AtOnce)
        {
            var count = Math.Min(AtOnce, _checks.Length - i);
            _verifier!.Verify(_checks.AsSpan(i, count), _results.AsSpan(i));
        }

        return _results[0];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _verifier?.Dispose();
        GC.SuppressFinalize(this);
    }
}
