namespace FactoryStream.Signatures;

/// <summary>What a <see cref="SignatureVerifier"/> has done since it was made. Counters only grow.</summary>
/// <param name="Checks">How many signatures were checked since the verifier was made.</param>
/// <param name="Accepted">How many of them were valid.</param>
/// <param name="ByManaged">How many checks .NET's RSA decided.</param>
/// <param name="ByOpenSsl">How many checks libcrypto decided.</param>
/// <param name="ByAvx2">How many checks the AVX2 backend decided.</param>
/// <param name="ByAvx512">How many checks the AVX-512 backend decided.</param>
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
