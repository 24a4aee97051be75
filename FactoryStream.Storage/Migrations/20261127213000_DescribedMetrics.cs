using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Units and descriptions of metrics. Begins empty: what a plant's metrics are measured in, only its people know.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127213000_DescribedMetrics")]
public partial class DescribedMetrics : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(MetricSql.Metrics);
        migrationBuilder.Sql(MetricSql.Notifications);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("DROP TABLE factory.metrics");
        migrationBuilder.Sql("DROP FUNCTION factory.notify_metrics()");
    }
}
