using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Readers that no odd number breaks, and a retention that writers do not wait for. The model is as before.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261123210000_SafeReaders")]
public partial class SafeReaders : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(ViewSql.MetricFunctions);
        migrationBuilder.Sql(ViewSql.SafeSensorData);
        migrationBuilder.Sql(RetentionSql.SafeDropPartitions);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("DROP VIEW factory.sensor_data, factory.aggregated_sensor_data");
        migrationBuilder.Sql(ViewSql.Views);
        migrationBuilder.Sql("DROP FUNCTION factory.metric(text), factory.odd_metric(text), factory.drop_partitions(text, timestamptz)");
        migrationBuilder.Sql(RetentionSql.DropPartitions);
    }
}
