using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>
/// The names of metrics of each engine. Begins empty: an engine's next reading brings them, and reading all windows for them could take
/// hours.
/// </summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127070000_EngineMetrics")]
public partial class EngineMetrics : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.CreateTable(
            name: "engine_metrics",
            schema: FactoryDbContext.Schema,
            columns: table => new
            {
                engine_no = table.Column<int>(type: "integer", nullable: false),
                metric = table.Column<string>(type: "text", nullable: false),
            },
            constraints: table => table.PrimaryKey("pk_engine_metrics", row => new { row.engine_no, row.metric })
        );

    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.DropTable(name: "engine_metrics", schema: FactoryDbContext.Schema);
}
