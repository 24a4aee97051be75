using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace FactoryStream.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(name: "factory");

            migrationBuilder.CreateTable(
                name: "checkpoints",
                schema: "factory",
                columns: table => new
                {
                    topic = table.Column<string>(type: "text", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    topic_id = table.Column<string>(type: "text", nullable: false),
                    next_offset = table.Column<long>(type: "bigint", nullable: false),
                    source_topic_id = table.Column<string>(type: "text", nullable: false),
                    source_offset = table.Column<long>(type: "bigint", nullable: false),
                    source_line = table.Column<int>(type: "integer", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_checkpoints", x => new { x.topic, x.partition });
                }
            );

            migrationBuilder.CreateTable(
                name: "engines",
                schema: "factory",
                columns: table => new
                {
                    engine_no = table
                        .Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    factory_id = table.Column<string>(type: "text", nullable: false),
                    engine_id = table.Column<string>(type: "text", nullable: false),
                    closed_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_engines", x => x.engine_no);
                }
            );

            migrationBuilder.CreateTable(
                name: "ledger",
                schema: "factory",
                columns: table => new
                {
                    partition = table.Column<int>(type: "integer", nullable: false),
                    factory_id = table.Column<string>(type: "text", nullable: false),
                    accepted = table.Column<long>(type: "bigint", nullable: false),
                    stored = table.Column<long>(type: "bigint", nullable: false),
                    duplicates = table.Column<long>(type: "bigint", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ledger", x => new { x.partition, x.factory_id });
                }
            );

            migrationBuilder.Sql(TableSql.Readings);

            migrationBuilder.CreateTable(
                name: "rejection_counts",
                schema: "factory",
                columns: table => new
                {
                    partition = table.Column<int>(type: "integer", nullable: false),
                    factory_id = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    refused = table.Column<bool>(type: "boolean", nullable: false),
                    count = table.Column<long>(type: "bigint", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey(
                        "pk_rejection_counts",
                        x => new
                        {
                            x.partition,
                            x.factory_id,
                            x.reason,
                            x.refused,
                        }
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "rejections",
                schema: "factory",
                columns: table => new
                {
                    rejection_no = table
                        .Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    rejected_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    factory_id = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: false),
                    refused = table.Column<bool>(type: "boolean", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: true),
                    line = table.Column<byte[]>(type: "bytea", nullable: false),
                    source_partition = table.Column<int>(type: "integer", nullable: true),
                    source_offset = table.Column<long>(type: "bigint", nullable: true),
                    source_line = table.Column<int>(type: "integer", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_rejections", x => x.rejection_no);
                }
            );

            migrationBuilder.CreateTable(
                name: "signing_keys",
                schema: "factory",
                columns: table => new
                {
                    key_no = table
                        .Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    factory_id = table.Column<string>(type: "text", nullable: false),
                    algorithm = table.Column<string>(type: "text", nullable: false),
                    public_key = table.Column<byte[]>(type: "bytea", nullable: false),
                    not_before = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    not_after = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    enrolled_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    revoked_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_signing_keys", x => x.key_no);
                }
            );

            migrationBuilder.Sql(TableSql.Windows);

            migrationBuilder.CreateIndex(
                name: "ix_engines_factory_id_engine_id",
                schema: "factory",
                table: "engines",
                columns: new[] { "factory_id", "engine_id" },
                unique: true
            );

            migrationBuilder.CreateIndex(name: "ix_rejections_rejected_at", schema: "factory", table: "rejections", column: "rejected_at");

            migrationBuilder.CreateIndex(
                name: "ix_signing_keys_factory_id",
                schema: "factory",
                table: "signing_keys",
                column: "factory_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_signing_keys_key_id",
                schema: "factory",
                table: "signing_keys",
                column: "key_id",
                unique: true
            );

            migrationBuilder.Sql(TableSql.Installation);
            migrationBuilder.Sql(PartitionSql.EnsurePartition);
            migrationBuilder.Sql(RetentionSql.DropPartitions);
            migrationBuilder.Sql(ViewSql.Views);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP SCHEMA factory CASCADE");
        }
    }
}
