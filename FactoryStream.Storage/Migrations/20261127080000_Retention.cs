using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Retention in small steps that no clock misleads, and of rejections as well.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127080000_Retention")]
public partial class Retention : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("DROP FUNCTION factory.drop_partitions(text, timestamptz)");
        migrationBuilder.Sql(RetentionSql.DropFewPartitions);
        migrationBuilder.Sql(RetentionSql.NewestEvidence);
        migrationBuilder.AddColumn<long>(
            name: "bytes",
            schema: FactoryDbContext.Schema,
            table: "rejection_counts",
            type: "bigint",
            nullable: false,
            defaultValue: 0L
        );
        migrationBuilder.Sql(TableSql.RejectionBytes);
        migrationBuilder.CreateTable(
            name: "rejections_dropped",
            schema: FactoryDbContext.Schema,
            columns: table => new
            {
                factory_id = table.Column<string>(type: "text", nullable: false),
                reason = table.Column<string>(type: "text", nullable: false),
                refused = table.Column<bool>(type: "boolean", nullable: false),
                lines = table.Column<long>(type: "bigint", nullable: false),
                readings = table.Column<long>(type: "bigint", nullable: false),
                bytes = table.Column<long>(type: "bigint", nullable: false),
            },
            constraints: table =>
                table.PrimaryKey(
                    "pk_rejections_dropped",
                    row => new
                    {
                        row.factory_id,
                        row.reason,
                        row.refused,
                    }
                )
        );
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable(name: "rejections_dropped", schema: FactoryDbContext.Schema);
        migrationBuilder.DropColumn(name: "bytes", schema: FactoryDbContext.Schema, table: "rejection_counts");
        migrationBuilder.Sql("DROP FUNCTION factory.newest_evidence(), factory.drop_partitions(text, timestamptz, integer)");
        migrationBuilder.Sql(RetentionSql.DropPartitionsWithBatches);
    }
}
