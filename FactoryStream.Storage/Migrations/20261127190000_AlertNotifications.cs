using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Tells the Dashboard at once when something happens to an alert.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127190000_AlertNotifications")]
public partial class AlertNotifications : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(AlertSql.Notifications);

    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("DROP FUNCTION factory.notify_alerts() CASCADE");
}
