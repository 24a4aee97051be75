namespace FactoryStream.Signatures;

/// <summary>What a <see cref="SignatureVerifier"/> has done since it was made. Counters only grow.</summary>
/// <param name="Checks">Signatures checked.</param>
/// <param name="Accepted">Of these, the valid ones.</param>
/// <param name="ByManaged">Decided by managed code.</param>
/// <param name="ByOpenSsl">Decided by OpenSSL.</param>
/// <param name="ByAvx2">Decided by the AVX2 backend.</param>
/// <param name="ByAvx512">Decided by the AVX-512 backend.</param>
/// <param name="Rechecks">Verdicts of a vectorised backend that were checked again, one at a time.</param>
/// <param name="Disagreements">Of these, the ones that came out differently. Anything but 0 is a fault: the backend was turned off.</param>
public readonly record struct SignatureVerifierStatistics(
    long Checks,
    long Accepted,
    long ByManaged,
    long ByOpenSsl,
    long ByAvx2,
    long ByAvx512,
    long Rechecks,
    long Disagreements
);
