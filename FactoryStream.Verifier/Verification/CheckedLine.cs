using FactoryStream.Contracts;
using FactoryStream.Verifier.Keys;

namespace FactoryStream.Verifier.Verification;

/// <summary>One line on its way from bytes to verdict. Lives in a reused array, so it is filled in place.</summary>
internal struct CheckedLine
{
    /// <summary>The line as it came.</summary>
    public ReadOnlyMemory<byte> Raw;

    /// <summary>When Ingest wrote it, by the message's timestamp: the same at every delivery, and so is the verdict.</summary>
    public DateTime ReceivedAt;

    /// <summary>Which readings of its signed batch are the partition's, where others have others; null: all.</summary>
    public int[]? Share;

    /// <summary>Its parts; of a malformed one at most the factory.</summary>
    public SignedReading Reading;

    /// <summary>How many readings of the partition it is; a malformed line is one.</summary>
    public readonly int Count => Share is null || !Reading.IsBatch ? Reading.Count : Share.Length;

    /// <summary>The verdict, once given.</summary>
    public Verdict Verdict;

    /// <summary>Whether <see cref="Verdict"/> stands.</summary>
    public bool HasVerdict;

    /// <summary>
    /// The factory it names has no key at all: it is in no factory's ledger, or invented names would make the ledger grow for ever.
    /// </summary>
    public bool IsOfUnknownFactory;

    /// <summary>The key that verified it; null when none did.</summary>
    public SigningKey? Key;

    /// <summary>What is wrong, in words; null when accepted.</summary>
    public string? Detail;

    /// <summary>Whether keys that are newer than those it was checked by could change the verdict.</summary>
    public readonly bool DependsOnNewerKeys => Verdict is Verdict.UnknownKey or Verdict.BadSignature || IsOfUnknownFactory;

    public void Accept()
    {
        Verdict = Verdict.Accepted;
        Detail = null;
        HasVerdict = true;
    }

    public void Reject(Verdict verdict, string? detail)
    {
        Verdict = verdict;
        Detail = detail;
        HasVerdict = true;
    }
}
