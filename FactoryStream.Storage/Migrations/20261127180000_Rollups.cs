using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace FactoryStream.Storage.Migrations;

/// <summary>
/// Windows of a minute, an hour and a day, merged from those of ten seconds. The tables begin empty: the Aggregator rolls up what is
/// stored, step by step.
/// </summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127180000_Rollups")]
public partial class Rollups : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(RollupSql.Tables);
        migrationBuilder.Sql(RollupSql.Views);
        migrationBuilder.AddColumn<DateTime>(
            name: "rolled_until",
            schema: FactoryDbContext.Schema,
            table: "engines",
            type: "timestamp with time zone",
            nullable: true
        );
        migrationBuilder.CreateTable(
            name: "stale_minutes",
            schema: FactoryDbContext.Schema,
            columns: table => new
            {
                stale_no = table
                    .Column<long>(type: "bigint", nullable: false)
                    .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                engine_no = table.Column<int>(type: "integer", nullable: false),
                window_start = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
            },
            constraints: table => table.PrimaryKey("pk_stale_minutes", row => row.stale_no)
        );
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable(name: "stale_minutes", schema: FactoryDbContext.Schema);
        migrationBuilder.DropColumn(name: "rolled_until", schema: FactoryDbContext.Schema, table: "engines");
        migrationBuilder.Sql(
            """
            DROP VIEW factory.window_minutes, factory.window_hours, factory.window_days;
            DROP TABLE factory.engine_minutes, factory.engine_hours, factory.engine_days;
            """
        );
    }
}
