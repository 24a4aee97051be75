namespace FactoryStream.Signatures;

/// <summary>Why a backend of a <see cref="SignatureVerifier"/> was turned off.</summary>
/// <param name="backendName">The backend: <c>avx512</c> or <c>avx2</c>.</param>
/// <param name="reason">What the backend got wrong, in words for a log.</param>
public sealed class BackendTurnedOffEventArgs(string backendName, string reason) : EventArgs
{
    /// <summary>The backend: <c>avx512</c> or <c>avx2</c>.</summary>
    public string BackendName { get; } = backendName;

    /// <summary>What the backend got wrong, in words for a log.</summary>
    public string Reason { get; } = reason;
}
