using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Views for others' tools.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127200000_ReportViews")]
public partial class ReportViews : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(ReportSql.Views);

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(ReportSql.Drop);
}
