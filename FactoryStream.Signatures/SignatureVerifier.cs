using FactoryStream.Signatures.Engines;

namespace FactoryStream.Signatures;

/// <summary>
/// Checks RSASSA-PSS signatures (SHA-256, MGF1-SHA-256, salt of any length), many at a time. Lengths are as strict as RFC 8017 is.
/// Make one and keep it; any number of threads may use it at once.
/// </summary>
public sealed class SignatureVerifier : IDisposable
{
    private readonly bool _useOpenSsl;
    private long _checks, _accepted;

    /// <summary>Chooses the engines for this machine.</summary>
    public SignatureVerifier(SignatureVerifierOptions? options = null)
    {
        options ??= new SignatureVerifierOptions();
        _useOpenSsl = LibCrypto.IsAvailable && options.AllowedEngines.HasFlag(SignatureEngines.OpenSsl);
    }

    /// <summary>Raised once when an engine gave a wrong answer and was turned off; the others go on. Log it as an error.</summary>
    public event EventHandler<EngineTurnedOffEventArgs>? EngineTurnedOff;

    /// <summary>The engine that full groups of the usual keys go to now: <c>avx512</c>, <c>avx2</c>, <c>openssl</c> or <c>managed</c>.</summary>
    public string EngineName => _useOpenSsl ? "openssl" : "managed";

    /// <summary>Counters for metrics.</summary>
    public SignatureVerifierStatistics Statistics
    {
        get
        {
            var checks = Interlocked.Read(ref _checks);
            return new(checks, Interlocked.Read(ref _accepted), _useOpenSsl ? 0 : checks, _useOpenSsl ? checks : 0, 0, 0, 0, 0);
        }
    }

    /// <summary>
    /// Sets <c>results[i]</c> to whether <c>checks[i].Signature</c> is a valid signature of <c>checks[i].Data</c> by <c>checks[i].Key</c>.
    /// The more that are given at once, the faster: dozens to hundreds are good. What is in <paramref name="results"/> before does not matter.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="results"/> is shorter than <paramref name="checks"/>.</exception>
    /// <exception cref="ObjectDisposedException">A key was disposed.</exception>
    public void Verify(ReadOnlySpan<SignatureCheck> checks, Span<bool> results)
    {
        if (results.Length < checks.Length)
            throw new ArgumentException("One result is needed for each check.", nameof(results));
        var accepted = 0;
        for (var i = 0; i < checks.Length; i++)
        {
            results[i] = SingleCheck.Verify(checks[i], _useOpenSsl);
            accepted += results[i] ? 1 : 0;
        }

        Interlocked.Add(ref _checks, checks.Length);
        Interlocked.Add(ref _accepted, accepted);
    }

    /// <summary>Frees what the engines hold.</summary>
    public void Dispose() => EngineTurnedOff = null;

    internal void TurnOff(string engineName, string reason) => EngineTurnedOff?.Invoke(this, new EngineTurnedOffEventArgs(engineName, reason));
}
