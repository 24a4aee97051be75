using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Partitions of readings and batches are not vacuumed for rows that were only inserted.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261124024500_QuietPartitions")]
public partial class QuietPartitions : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Objects.QuietPartitions);

    /// <summary>Of partitions made from now on; those that are there keep their settings, which do no harm.</summary>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        var from = Objects.Partitions.IndexOf("CREATE FUNCTION factory.ensure_partition", StringComparison.Ordinal);
        var to = Objects.Partitions.IndexOf("CREATE FUNCTION factory.drop_partitions", StringComparison.Ordinal);
        migrationBuilder.Sql(
            Objects.Partitions[from..to].Replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", StringComparison.Ordinal)
        );
    }
}
