using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Migrations;

/// <summary>How database and topics are made ready; section <c>Migrations</c>.</summary>
internal sealed class MigrationsOptions
{
    public const string Section = "Migrations";

    /// <summary>Partitions of each topic that is not there yet. An engine is in one partition, so this bounds how many Verifiers and Aggregators share the work. Default 12.</summary>
    [Range(1, 10_000)]
    public int Partitions { get; set; } = 12;

    /// <summary>Copies of each topic that is not there yet; -1: the broker's default. Default -1.</summary>
    [Range(-1, 100)]
    public short ReplicationFactor { get; set; } = -1;

    /// <summary>How long database and broker are waited for. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(5);
}
