using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace FactoryStream.Storage.Migrations;

/// <summary>Who did what to keys. Begins empty: nobody wrote it down before.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127150000_AuditEvents")]
public partial class AuditEvents : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.CreateTable(
            name: "audit_events",
            schema: FactoryDbContext.Schema,
            columns: table => new
            {
                event_no = table
                    .Column<long>(type: "bigint", nullable: false)
                    .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                who = table.Column<string>(type: "text", nullable: false),
                role = table.Column<string>(type: "text", nullable: false),
                action = table.Column<string>(type: "text", nullable: false),
                subject = table.Column<string>(type: "text", nullable: false),
                detail = table.Column<string>(type: "text", nullable: true),
            },
            constraints: table => table.PrimaryKey("pk_audit_events", row => row.event_no)
        );

    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.DropTable(name: "audit_events", schema: FactoryDbContext.Schema);
}
