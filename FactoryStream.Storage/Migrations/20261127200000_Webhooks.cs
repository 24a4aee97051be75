using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Webhooks, and their outbox: what happened to alerts before is sent to nobody.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127200000_Webhooks")]
public partial class Webhooks : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(WebhookSql.Tables);
        migrationBuilder.Sql(WebhookSql.Outbox);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("DROP FUNCTION factory.write_webhook_deliveries() CASCADE");
        migrationBuilder.Sql("DROP TABLE factory.webhook_deliveries, factory.webhooks");
    }
}
