using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>
/// Rejections of factories without a key are in no factory's ledger. Those of before stay with the names they claimed, as the ledger
/// has them.
/// </summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127093000_UnknownFactories")]
public partial class UnknownFactories : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.AddColumn<bool>(
            name: "unknown_factory",
            schema: FactoryDbContext.Schema,
            table: "rejections",
            type: "boolean",
            nullable: false,
            defaultValue: false
        );

    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.DropColumn(name: "unknown_factory", schema: FactoryDbContext.Schema, table: "rejections");
}
