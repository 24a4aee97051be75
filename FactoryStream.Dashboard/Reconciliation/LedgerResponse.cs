namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>The answer of <c>/api/books</c>.</summary>
/// <param name="Factories">By id.</param>
/// <param name="Lost">Messages that Kafka's retention took before they were taken in: whose they were nobody knows.</param>
/// <param name="Losses">These by topic and partition.</param>
internal sealed record LedgerResponse(IReadOnlyList<FactoryLedger> Factories, long Lost, IReadOnlyList<LostMessages> Losses);

/// <summary>What retention took of a partition; a message holds one or more readings.</summary>
/// <param name="Topic">Which one lost them.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Messages">How many.</param>
internal sealed record LostMessages(string Topic, int Partition, long Messages);
