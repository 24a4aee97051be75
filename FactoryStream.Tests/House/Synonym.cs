namespace FactoryStream.Tests.House;

/// <summary>A word that the code does not use, because the field has another for what it means.</summary>
/// <param name="Word">In its plain form; its other forms are meant too.</param>
/// <param name="Instead">What to write.</param>
/// <param name="Project">Where it is not used; null: nowhere in the product.</param>
internal sealed record Synonym(string Word, string Instead, string? Project = null)
{
    /// <summary>
    /// One word, one meaning: those of the table in docs/architecture.md. A name that a thing no longer has belongs on this list.
    /// </summary>
    public static readonly IReadOnlyList<Synonym> Banned =
    [
        new("Judge", "Check or Verify for a signature, Verdict for what comes of it"),
        new("Trial", "Check"),
        new("Weigh", "Check"),
        new("Conclude", "Verdict: the method gives one"),
        new("Reconsider", "Repeat: an earlier verdict is given again"),
        new("Intake", "Consume for Kafka, Http or Request for a body"),
        new("Kick", "Wake, Signal or Start"),
        new("Receipt", "Acknowledgement for Kafka's, Answer for the one to a request", "FactoryStream.Ingest"),
        new("Settle", "Commit or Store; a ledger without backlog says so"),
        new("HeardAll", "CaughtUp, for a partition that is consumed to its end"),
        new("Careful", "what is done, e.g. ExpectsDuplicates"),
        new("Tally", "Count or Totals"),
        new("Books", "Ledger"),
        new("Incarnation", "TopicId"),
        new("Answer", "Verdict", "FactoryStream.Verifier"),
        new("Engine", "Backend, for what checks signatures", "FactoryStream.Verifier"),
        new("Engine", "Backend", "FactoryStream.Signatures"),
        new("Silent", "Idle, for a partition or an engine that sends nothing", "FactoryStream.Aggregator"),
    ];

    /// <summary>Whether an identifier has it among its words: <c>Judge</c> is in <c>JudgedAt</c>, and not in <c>Adjudge</c>.</summary>
    public bool IsIn(string identifier) => Stems(identifier).Contains(Stems(Word), StringComparison.Ordinal);

    private static string Stems(string identifier) => $" {string.Join(' ', CSharpCode.Words(identifier).Select(Stem))} ";

    /// <summary>So that Settle, settles, settled and settling are one word.</summary>
    private static string Stem(string word)
    {
        var stem = word.ToLowerInvariant();
        foreach (var ending in (string[])["ing", "ed", "es", "s"])
        {
            if (stem.Length > ending.Length + 2 && stem.EndsWith(ending, StringComparison.Ordinal))
            {
                stem = stem[..^ending.Length];
                break;
            }
        }
        return stem.TrimEnd('e', 'y', 'i');
    }
}
