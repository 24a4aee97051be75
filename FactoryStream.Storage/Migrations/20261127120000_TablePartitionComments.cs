using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>The schema's own comments tell table partitions from Kafka's. The model is as before.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127120000_TablePartitionComments")]
public partial class TablePartitionComments : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql(
            """
            COMMENT ON TABLE factory.installation IS
                'Table partitions are months before daily_since and days from then on, so that odd timestamps make a bounded number '
                'of them';
            COMMENT ON FUNCTION factory.ensure_partition IS
                'Makes the table partition of a moment unless it is there; returns its bounds, the upper one exclusive';
            COMMENT ON FUNCTION factory.drop_partitions IS
                'Retention: drops the table partitions that end at or before a moment, the oldest first, at most so many (null: all), '
                'those of readings with their batches''; returns how many, 0 also while another does it; lock_not_available: try again '
                'later';
            COMMENT ON FUNCTION factory.newest_evidence IS
                'About when the newest reading was stored, never later: its verdict''s time, but no later than the end of the newest '
                'table partition with readings; null: there is none';
            """
        );

    /// <summary>Nothing: the comments say the same in other words, and the functions are as they were.</summary>
    protected override void Down(MigrationBuilder migrationBuilder) { }
}
