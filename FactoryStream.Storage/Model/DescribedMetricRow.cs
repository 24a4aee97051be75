namespace FactoryStream.Storage;

/// <summary>What people say of a metric's name, of whichever engines have it. A name that nobody described has no row.</summary>
public sealed class DescribedMetricRow
{
    /// <summary>Longest <see cref="Unit"/>, in characters.</summary>
    public const int MaxUnitLength = 16;

    /// <summary>Longest <see cref="Description"/>, in characters.</summary>
    public const int MaxDescriptionLength = 256;

    /// <summary>The metric's name, as the machines write it.</summary>
    public required string Name { get; set; }

    /// <summary>The unit of its values, e.g. <c>°C</c>; null: it has none, or nobody said.</summary>
    public string? Unit { get; set; }

    /// <summary>What is measured; null: nobody said.</summary>
    public string? Description { get; set; }

    /// <summary>1, and one more with each change.</summary>
    public int Version { get; set; }

    /// <summary>Who described it last, as in audit events.</summary>
    public required string UpdatedBy { get; set; }

    /// <summary>When, by the database's clock.</summary>
    public DateTime UpdatedAt { get; set; }
}
