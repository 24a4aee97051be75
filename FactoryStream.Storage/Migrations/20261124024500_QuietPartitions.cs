using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Table partitions of readings and batches are not vacuumed for rows that were only inserted.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261124024500_QuietPartitions")]
public partial class QuietPartitions : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(PartitionSql.QuietPartitions);

    /// <summary>Of table partitions made from now on; those that are there keep their settings, which do no harm.</summary>
    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql(
            PartitionSql.EnsurePartition.Replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", StringComparison.Ordinal)
        );
}
