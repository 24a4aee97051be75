using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>
/// Alert rules, alerts and their history, and when each engine's windows were last written, by which silence is found. Engines of before
/// count as written now, so that the migration makes none of them silent.
/// </summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127180000_Alerts")]
public partial class Alerts : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(AlertSql.Rules);
        migrationBuilder.Sql(AlertSql.Alerts);
        migrationBuilder.Sql(AlertSql.Events);
        migrationBuilder.AddColumn<DateTime>(
            name: "windows_written_at",
            schema: FactoryDbContext.Schema,
            table: "engines",
            type: "timestamptz",
            nullable: true
        );
        migrationBuilder.Sql("UPDATE factory.engines SET windows_written_at = now() WHERE closed_until IS NOT NULL");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropColumn(name: "windows_written_at", schema: FactoryDbContext.Schema, table: "engines");
        migrationBuilder.Sql("DROP TABLE factory.alert_events, factory.alerts, factory.alert_rules");
    }
}
