namespace FactoryStream.Signatures.Backends;

/// <summary>A backend of a verifier and whether it is still trusted.</summary>
internal sealed class BackendSlot(ISignatureBackend backend, string? fault)
{
    private string? _fault = fault;
    private long _decided;

    public ISignatureBackend Backend => backend;

    public bool IsOn => Volatile.Read(ref _fault) is null;

    /// <summary>Why the backend is not used; null while it is.</summary>
    public string? Fault => Volatile.Read(ref _fault);

    public long Decided => Interlocked.Read(ref _decided);

    public void CountDecided(int count) => Interlocked.Add(ref _decided, count);

    /// <summary>False when it was off already.</summary>
    public bool TurnOff(string fault) => Interlocked.CompareExchange(ref _fault, fault, null) is null;
}
