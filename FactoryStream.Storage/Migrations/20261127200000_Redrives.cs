using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>Re-drives: rejections that are sent to Ingest again.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127200000_Redrives")]
public partial class Redrives : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(RedriveSql.Redrives);
        migrationBuilder.Sql(RedriveSql.Marks);
        migrationBuilder.Sql(RedriveSql.Retention);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(
            "DROP INDEX factory.ix_rejections_known_key, factory.ix_rejections_unknown_key, factory.ix_rejections_factory_id_rejection_no"
        );
        migrationBuilder.Sql("ALTER TABLE factory.rejections DROP COLUMN redriven_at, DROP COLUMN redrive_no");
        migrationBuilder.Sql("DROP TABLE factory.redrives");
    }
}
