using FactoryStream.Signatures.Backends;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Signatures;

/// <summary>
/// Checks RSASSA-PSS signatures (SHA-256, MGF1-SHA-256, salt of any length), many at a time. Lengths are as strict as RFC 8017 is.
/// Make one and keep it; any number of threads may use it at once.
/// </summary>
public sealed class SignatureVerifier : IDisposable
{
    /// <summary>What <see cref="Backends"/> says of a backend that is in use.</summary>
    public const string On = "on";

    private const int ChunkLength = 512;

    private readonly bool _useOpenSsl;
    private readonly BackendSlot[] _slots;
    private readonly int _acceptRecheckInterval;
    private readonly Allowance _rejectRechecks;
    private long _checks,
        _accepted,
        _single,
        _acceptedByLanes,
        _rechecks,
        _disagreements;

    /// <summary>Chooses the backends for this machine; each has to pass known-answer tests first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its bounds.</exception>
    public SignatureVerifier(SignatureVerifierOptions? options = null)
        : this(options ?? new SignatureVerifierOptions(), AvailableBackends(options ?? new SignatureVerifierOptions())) { }

    /// <summary>With given backends, so that tests can have one that lies.</summary>
    internal SignatureVerifier(SignatureVerifierOptions options, IReadOnlyList<(ISignatureBackend Backend, string? Fault)> backends)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AcceptRecheckInterval, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RejectRecheckInterval, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RejectRecheckBurst, 1);
        _useOpenSsl = LibCrypto.IsAvailable && options.AllowedBackends.HasFlag(SignatureBackends.OpenSsl);
        _slots = [.. backends.Select(backend => new BackendSlot(backend.Backend, backend.Fault))];
        _acceptRecheckInterval = options.AcceptRecheckInterval;
        _rejectRechecks = new Allowance(options.RejectRecheckBurst, options.RejectRecheckInterval);
    }

    /// <summary>
    /// Raised once, on the checking thread, when a backend gave a wrong result and was turned off; the others go on. Log it as an error. A
    /// backend that failed already at the start is only in <see cref="Backends"/>.
    /// </summary>
    public event EventHandler<BackendTurnedOffEventArgs>? BackendTurnedOff;

    /// <summary>
    /// The backend that full lanes of the usual keys go to now: <c>avx512</c>, <c>avx2</c>, <c>openssl</c> or <c>managed</c>.
    /// </summary>
    public string BackendName => Array.Find(_slots, slot => slot.IsOn)?.Backend.Name ?? SingleName;

    /// <summary>
    /// Every backend that this machine has and the options allow, best first, with <see cref="On"/> or why it is off; for a health page.
    /// </summary>
    public IReadOnlyDictionary<string, string> Backends
    {
        get
        {
            var backends = new OrderedDictionary<string, string>();
            foreach (var slot in _slots)
                backends.Add(slot.Backend.Name, slot.Fault is { } fault ? $"off: {fault}" : On);
            backends.Add(SingleName, On);
            return backends;
        }
    }

    /// <summary>What was checked so far, and by which backend.</summary>
    public SignatureVerifierStatistics Statistics
    {
        get
        {
            var single = Interlocked.Read(ref _single);
            return new(
                Interlocked.Read(ref _checks),
                Interlocked.Read(ref _accepted),
                _useOpenSsl ? 0 : single,
                _useOpenSsl ? single : 0,
                By("avx2"),
                By("avx512"),
                Interlocked.Read(ref _rechecks),
                Interlocked.Read(ref _disagreements)
            );

            long By(string name) => Array.Find(_slots, slot => slot.Backend.Name == name)?.Decided ?? 0;
        }
    }

    /// <summary>
    /// Keys whose constants are kept for the vectorised backends now; at most <see cref="SignatureVerifierOptions.MaximumPreparedKeys"/>
    /// for each.
    /// </summary>
    public int PreparedKeys => _slots.Sum(slot => slot.Backend.PreparedKeys);

    private string SingleName => _useOpenSsl ? "openssl" : "managed";

    /// <summary>
    /// Sets <c>results[i]</c> to whether <c>checks[i].Signature</c> is a valid signature of <c>checks[i].Data</c> by <c>checks[i].Key</c>.
    /// The more that are given at once, the faster: dozens to hundreds are good. What is in <paramref name="results"/> before does not
    /// matter.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="results"/> is shorter than <paramref name="checks"/>.</exception>
    /// <exception cref="ObjectDisposedException">A key was disposed.</exception>
    public void Verify(ReadOnlySpan<SignatureCheck> checks, Span<bool> results)
    {
        if (results.Length < checks.Length)
            throw new ArgumentException("One result is needed for each check.", nameof(results));
        for (var start = 0; start < checks.Length; start += ChunkLength)
        {
            var length = Math.Min(ChunkLength, checks.Length - start);
            VerifyChunk(checks.Slice(start, length), results.Slice(start, length));
        }
    }

    /// <summary>Lets go of the event's subscribers. What the backends hold is freed with them.</summary>
    public void Dispose() => BackendTurnedOff = null;

    private static List<(ISignatureBackend Backend, string? Fault)> AvailableBackends(SignatureVerifierOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumPreparedKeys, SignatureVerifierOptions.LeastMaximumPreparedKeys);
        var backends = new List<(ISignatureBackend, string?)>();
        if (options.AllowedBackends.HasFlag(SignatureBackends.Avx512) && Avx512Backend.IsSupported)
            Add(new Avx512Backend(options.MaximumPreparedKeys));
        if (options.AllowedBackends.HasFlag(SignatureBackends.Avx2) && Avx2Backend.IsSupported)
            Add(new Avx2Backend(options.MaximumPreparedKeys));
        return backends;

        void Add(ISignatureBackend backend) =>
            backends.Add((backend, KnownAnswers.FindFault(backend) ?? BackendSpeeds.FindSlowness(backend)));
    }

    private void VerifyChunk(ReadOnlySpan<SignatureCheck> checks, Span<bool> results)
    {
        _rejectRechecks.Earn(checks.Length);

        // Lanes that are checked together are of one size of key; keys that no backend supports or has a place for are checked one at a
        // time.
        Span<int> waiting = stackalloc int[3 * ChunkLength];
        Span<int> counts = stackalloc int[3];
        counts.Clear();
        for (var i = 0; i < checks.Length; i++)
        {
            ref readonly var check = ref checks[i];
            ObjectDisposedException.ThrowIf(check.Key.IsDisposed, check.Key);
            var size = check.Key.KeySizeBits switch
            {
                2048 => 0,
                3072 => 1,
                4096 => 2,
                _ => -1,
            };
            if (!SingleCheck.IsInRange(check))
            {
                results[i] = false;
                Interlocked.Increment(ref _single);
            }
            else if (size < 0 || SlotFor(check.Key) is not { } slot || !slot.Backend.TryPrepare(check.Key))
            {
                results[i] = VerifySingle(check);
            }
            else
            {
                waiting[size * ChunkLength + counts[size]++] = i;
            }
        }

        for (var size = 0; size < counts.Length; size++)
        {
            var indices = waiting.Slice(size * ChunkLength, counts[size]);
            while (!indices.IsEmpty)
            {
                var slot = SlotFor(checks[indices[0]].Key);
                var taken = slot?.Backend.Take(indices.Length) ?? 0;
                if (taken == 0)
                {
                    results[indices[0]] = VerifySingle(checks[indices[0]]);
                    indices = indices[1..];
                    continue;
                }

                VerifyLanes(slot!, checks, indices[..taken], results);
                indices = indices[taken..];
            }
        }

        Interlocked.Add(ref _checks, checks.Length);
        Interlocked.Add(ref _accepted, results.Count(true));
    }

    private BackendSlot? SlotFor(RsaPublicKey key)
    {
        foreach (var slot in _slots)
        {
            if (slot.IsOn && slot.Backend.Supports(key))
                return slot;
        }

        return null;
    }

    private void VerifyLanes(BackendSlot slot, ReadOnlySpan<SignatureCheck> checks, ReadOnlySpan<int> indices, Span<bool> results)
    {
        var valid = slot.Backend.Verify(checks, indices);
        var all = (uint)((1L << indices.Length) - 1);

        // One in so many accepted signatures is checked again: the first that was accepted after the count went past a multiple of the
        // interval.
        var accepted = System.Numerics.BitOperations.PopCount(valid & all);
        var after = Interlocked.Add(ref _acceptedByLanes, accepted);
        var canary = accepted > 0 && after / _acceptRecheckInterval != (after - accepted) / _acceptRecheckInterval;
        for (var lane = 0; lane < indices.Length; lane++)
        {
            var verdict = (valid & (1u << lane)) != 0;
            results[indices[lane]] = verdict;
            var recheck = verdict ? canary : _rejectRechecks.TrySpend();
            if (!recheck)
                continue;
            canary &= !verdict;
            Interlocked.Increment(ref _rechecks);
            if (SingleCheck.Verify(checks[indices[lane]], _useOpenSsl) == verdict)
                continue;

            // No result of this backend for these lanes is used.
            Interlocked.Increment(ref _disagreements);
            TurnOff(
                slot,
                $"said {(verdict ? "valid" : "invalid")} of a signature of {checks[indices[lane]].Key.KeySizeBits} bits for which "
                    + $"{SingleName} says the opposite"
            );
            foreach (var index in indices)
                results[index] = VerifySingle(checks[index]);
            return;
        }

        slot.CountDecided(indices.Length);
    }

    private bool VerifySingle(in SignatureCheck check)
    {
        Interlocked.Increment(ref _single);
        return SingleCheck.Verify(check, _useOpenSsl);
    }

    private void TurnOff(BackendSlot slot, string reason)
    {
        if (slot.TurnOff(reason))
            BackendTurnedOff?.Invoke(this, new BackendTurnedOffEventArgs(slot.Backend.Name, reason));
    }
}
