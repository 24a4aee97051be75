using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace FactoryStream.Storage.Migrations;

/// <summary>What Kafka's retention took unseen, and over how many partitions engines are spread.</summary>
[DbContext(typeof(FactoryDbContext))]
[Migration("20261127090000_LossesAndPartitions")]
public partial class LossesAndPartitions : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            name: "losses",
            schema: FactoryDbContext.Schema,
            columns: table => new
            {
                topic = table.Column<string>(type: "text", nullable: false),
                partition = table.Column<int>(type: "integer", nullable: false),
                messages = table.Column<long>(type: "bigint", nullable: false),
                acknowledged = table.Column<long>(type: "bigint", nullable: false, defaultValue: 0L),
            },
            constraints: table => table.PrimaryKey("pk_losses", row => new { row.topic, row.partition })
        );
        migrationBuilder.CreateTable(
            name: "topics",
            schema: FactoryDbContext.Schema,
            columns: table => new
            {
                topic = table.Column<string>(type: "text", nullable: false),
                topic_id = table.Column<string>(type: "text", nullable: false),
                partitions = table.Column<int>(type: "integer", nullable: false),
            },
            constraints: table => table.PrimaryKey("pk_topics", row => row.topic)
        );
        // An installation that has worked so far has a checkpoint for every partition.
        migrationBuilder.Sql(
            """
            INSERT INTO factory.topics (topic, topic_id, partitions)
            SELECT topic, topic_id, max(partition) + 1 FROM factory.checkpoints
            WHERE topic_id = (
                SELECT topic_id FROM factory.checkpoints AS first WHERE first.topic = checkpoints.topic ORDER BY partition LIMIT 1)
            GROUP BY topic, topic_id
            """
        );
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable(name: "topics", schema: FactoryDbContext.Schema);
        migrationBuilder.DropTable(name: "losses", schema: FactoryDbContext.Schema);
    }
}
