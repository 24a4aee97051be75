namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>accepted = stored + duplicates + rejected + backlog; refused and re-driven stand beside it.</summary>
/// <param name="FactoryId"><c>unknown</c>: all lines whose factory could not be read or has no key.</param>
/// <param name="Accepted">Lines that had a 202.</param>
/// <param name="Stored">Readings in the database.</param>
/// <param name="Duplicates">Second copies of stored readings.</param>
/// <param name="Rejected">Accepted lines that the Verifier rejected, by reason.</param>
/// <param name="Refused">Lines that Ingest did not accept, by reason.</param>
/// <param name="Backlog">Accepted lines whose fate is not yet in the database.</param>
/// <param name="Redriven">How many of the accepted readings a re-drive has sent.</param>
internal sealed record FactoryLedger(
    string FactoryId,
    long Accepted,
    long Stored,
    long Duplicates,
    IReadOnlyDictionary<string, long> Rejected,
    IReadOnlyDictionary<string, long> Refused,
    long Backlog,
    long Redriven
);
