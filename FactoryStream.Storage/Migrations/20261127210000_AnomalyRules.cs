using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Alert rules may be of the anomaly score.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127210000_AnomalyRules")]
public partial class AnomalyRules : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(AlertSql.AnomalyKind);

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(AlertSql.WithoutAnomalyKind);
}
