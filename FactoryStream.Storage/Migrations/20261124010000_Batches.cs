using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Signed batches as evidence of several readings.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261124010000_Batches")]
public partial class Batches : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(TableSql.Batches);
        migrationBuilder.Sql(RetentionSql.DropPartitionsWithBatches);
        migrationBuilder.AddColumn<int>(
            name: "readings",
            schema: FactoryDbContext.Schema,
            table: "rejections",
            type: "integer",
            nullable: false,
            defaultValue: 1
        );
    }

    /// <summary>
    /// Only while no batch is stored: the readings of one would be left without evidence, and PostgreSQL refuses a missing signature.
    /// </summary>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropColumn(name: "readings", schema: FactoryDbContext.Schema, table: "rejections");
        migrationBuilder.Sql("ALTER TABLE factory.readings DROP COLUMN batch_sha256, ALTER COLUMN signature SET NOT NULL");
        migrationBuilder.Sql(RetentionSql.SafeDropPartitions);
        migrationBuilder.Sql("DROP TABLE factory.batches");
    }
}
