using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Storage;

/// <summary>The schema <c>factory</c>: model, migrations and the reading side. What is written often goes around it, by COPY.</summary>
public sealed class FactoryDbContext(DbContextOptions<FactoryDbContext> options) : DbContext(options)
{
    public const string Schema = "factory";

    /// <summary>The name of the database's connection string, and of its resource in the AppHost.</summary>
    public const string ConnectionName = "factorydb";

    /// <summary>What every user of the context must set: names in snake_case, the migrations' history in the schema itself.</summary>
    public static TBuilder Configure<TBuilder>(TBuilder options)
        where TBuilder : DbContextOptionsBuilder
    {
        options.UseSnakeCaseNamingConvention();
        return options;
    }

    public DbSet<SigningKeyRow> SigningKeys => Set<SigningKeyRow>();

    public DbSet<EngineRow> Engines => Set<EngineRow>();

    public DbSet<EngineMetricRow> EngineMetrics => Set<EngineMetricRow>();

    public DbSet<ReadingRow> Readings => Set<ReadingRow>();

    public DbSet<BatchRow> Batches => Set<BatchRow>();

    public DbSet<WindowRow> Windows => Set<WindowRow>();

    public DbSet<RejectionRow> Rejections => Set<RejectionRow>();

    public DbSet<CheckpointRow> Checkpoints => Set<CheckpointRow>();

    public DbSet<LedgerRow> Ledger => Set<LedgerRow>();

    public DbSet<RejectionCountRow> RejectionCounts => Set<RejectionCountRow>();

    public DbSet<RejectionsDroppedRow> RejectionsDropped => Set<RejectionsDroppedRow>();

    public DbSet<LossRow> Losses => Set<LossRow>();

    public DbSet<TopicRow> TopicCounts => Set<TopicRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(Schema);

        modelBuilder.Entity<SigningKeyRow>(key =>
        {
            key.ToTable("signing_keys").HasKey(row => row.KeyNo);
            key.HasIndex(row => row.KeyId).IsUnique();
            key.HasIndex(row => row.FactoryId);
        });
        modelBuilder.Entity<EngineRow>(engine =>
        {
            engine.ToTable("engines").HasKey(row => row.EngineNo);
            engine.HasIndex(row => new { row.FactoryId, row.EngineId }).IsUnique();
        });
        modelBuilder.Entity<EngineMetricRow>().ToTable("engine_metrics").HasKey(row => new { row.EngineNo, row.Metric });
        modelBuilder.Entity<ReadingRow>(reading =>
        {
            reading
                .ToTable("readings")
                .HasKey(row => new
                {
                    row.EngineNo,
                    row.MeasuredAt,
                    row.DataSha256,
                });
            reading.Property(row => row.Data).HasColumnType("json");
        });
        modelBuilder.Entity<BatchRow>().ToTable("batches").HasKey(row => new { row.Sha256, row.MeasuredUntil });
        modelBuilder.Entity<WindowRow>(window =>
        {
            window
                .ToTable("windows")
                .HasKey(row => new
                {
                    row.EngineNo,
                    row.WindowStart,
                    row.WindowEnd,
                    row.Metric,
                });
            window.Property(row => row.Closed).HasDefaultValue(true);
        });
        modelBuilder.Entity<RejectionRow>(rejection =>
        {
            rejection.ToTable("rejections").HasKey(row => row.RejectionNo);
            rejection.HasIndex(row => row.RejectedAt);
            rejection.Property(row => row.Readings).HasDefaultValue(1);
            rejection.Property(row => row.UnknownFactory).HasDefaultValue(false);
        });
        modelBuilder.Entity<CheckpointRow>().ToTable("checkpoints").HasKey(row => new { row.Topic, row.Partition });
        modelBuilder.Entity<LedgerRow>().ToTable("ledger").HasKey(row => new { row.Partition, row.FactoryId });
        modelBuilder.Entity<RejectionCountRow>(count =>
        {
            count
                .ToTable("rejection_counts")
                .HasKey(row => new
                {
                    row.Partition,
                    row.FactoryId,
                    row.Reason,
                    row.Refused,
                });
            count.Property(row => row.Bytes).HasDefaultValue(0L);
        });
        modelBuilder
            .Entity<RejectionsDroppedRow>()
            .ToTable("rejections_dropped")
            .HasKey(row => new
            {
                row.FactoryId,
                row.Reason,
                row.Refused,
            });
        modelBuilder.Entity<LossRow>(loss =>
        {
            loss.ToTable("losses").HasKey(row => new { row.Topic, row.Partition });
            loss.Property(row => row.Acknowledged).HasDefaultValue(0L);
        });
        modelBuilder.Entity<TopicRow>().ToTable("topics").HasKey(row => row.Topic);
    }
}
