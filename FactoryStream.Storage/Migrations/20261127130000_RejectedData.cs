using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>
/// Rejections are found by the hash of what was signed, and by factory, the newest first. Those of before have no hash: only the program
/// that writes rejections finds <c>data</c> in a line that may be anything.
/// </summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127130000_RejectedData")]
public partial class RejectedData : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<byte[]>(
            name: "data_sha256",
            schema: FactoryDbContext.Schema,
            table: "rejections",
            type: "bytea",
            nullable: true
        );
        migrationBuilder.CreateIndex(
            name: "ix_rejections_data_sha256",
            schema: FactoryDbContext.Schema,
            table: "rejections",
            column: "data_sha256",
            filter: "data_sha256 IS NOT NULL"
        );
        migrationBuilder.CreateIndex(
            name: "ix_rejections_factory_id_rejected_at",
            schema: FactoryDbContext.Schema,
            table: "rejections",
            columns: ["factory_id", "rejected_at"]
        );
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex(name: "ix_rejections_factory_id_rejected_at", schema: FactoryDbContext.Schema, table: "rejections");
        migrationBuilder.DropColumn(name: "data_sha256", schema: FactoryDbContext.Schema, table: "rejections");
    }
}
