namespace FactoryStream.Contracts;

/// <summary>Texts for topics that have another number of partitions than engines are spread over.</summary>
public static class PartitionCounts
{
    /// <summary>Says that a topic was given more partitions, and what to do about it.</summary>
    /// <param name="topic">The topic's name in Kafka, e.g. <c>readings.verified</c>.</param>
    /// <param name="recorded">Over how many of its partitions engines are spread.</param>
    /// <param name="partitions">How many partitions it has in Kafka.</param>
    public static string Enlarged(string topic, int recorded, int partitions) =>
        $"{topic} has {partitions} partitions, but engines are spread over {recorded}. "
        + "Nothing new is accepted; what is on its way is stored. When the ledger shows no backlog, run Migrations with "
        + "Migrations__Repartition=true.";

    /// <summary>What is wrong with the numbers of partitions of the three topics: they must be one; null: nothing.</summary>
    /// <param name="counts">The number of each topic's partitions, in the order of <see cref="TopicNames.All"/>.</param>
    public static string? Unequal(IReadOnlyList<int> counts) =>
        counts.Distinct().Count() == 1
            ? null
            : $"The topics {string.Join(", ", TopicNames.All)} must have the same number of partitions, but have "
                + $"{string.Join(", ", counts)}: give the others as many as the largest has.";

    /// <summary>
    /// Over how many partitions engines were spread when the Aggregator last began, derived from where its group has committed: it commits
    /// on every partition that it is given, and takes none that is not recorded. Null: it has committed on all or on none, or in no order,
    /// so nothing can be derived.
    /// </summary>
    /// <param name="hasOffset">Of each partition of <c>readings.verified</c>, whether the Aggregator's group has an offset.</param>
    public static int? Fewer(IReadOnlyList<bool> hasOffset)
    {
        var count = hasOffset.TakeWhile(has => has).Count();
        return count > 0 && count < hasOffset.Count && !hasOffset.Skip(count).Contains(true) ? count : null;
    }
}
