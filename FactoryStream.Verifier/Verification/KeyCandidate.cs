using FactoryStream.Verifier.Keys;

namespace FactoryStream.Verifier.Verification;

/// <summary>
/// The key that a line is checked by next, out of its factory's. <see cref="Factory"/> is null where the sender named the key: then there
/// is but one.
/// </summary>
internal struct KeyCandidate
{
    /// <summary>The line's index.</summary>
    public int Line;

    public DateTime LatestEnrolment;
    public FactoryKeys? Factory;
    public int First;
    public int Attempt;
    public SigningKey Key;

    /// <summary>The next key to check by; null when all were.</summary>
    public SigningKey? Next()
    {
        while (Factory!.Candidate(First, Attempt) is { } key)
        {
            Attempt++;
            // A key vouches for nothing that was received before it was enrolled; so a second delivery, later, ends as the first one did.
            if (key.EnrolledAt <= LatestEnrolment)
                return key;
        }
        return null;
    }
}
