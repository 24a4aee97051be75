namespace FactoryStream.Signatures;

/// <summary>Why an engine of a <see cref="SignatureVerifier"/> was turned off.</summary>
/// <param name="engineName">The engine: <c>avx512</c> or <c>avx2</c>.</param>
/// <param name="reason">What it got wrong.</param>
public sealed class EngineTurnedOffEventArgs(string engineName, string reason) : EventArgs
{
    /// <summary>The engine: <c>avx512</c> or <c>avx2</c>.</summary>
    public string EngineName { get; } = engineName;

    /// <summary>What it got wrong.</summary>
    public string Reason { get; } = reason;
}
