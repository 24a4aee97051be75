using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>
/// The view of readings has a number where a reading has one, whatever else stands under a metric's name. The model is as before.
/// </summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127070000_NumbersAlone")]
public partial class NumbersAlone : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(ViewSql.NumbersAlone);

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(ViewSql.SafeSensorData);
        migrationBuilder.Sql("DROP FUNCTION factory.metric(json, text)");
    }
}
