using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Storage;

/// <summary>The schema <c>factory</c>: model, migrations and the reading side. What is written often goes around it, by COPY.</summary>
/// <param name="options">The connection, and what <see cref="Configure"/> sets.</param>
public sealed class FactoryDbContext(DbContextOptions<FactoryDbContext> options) : DbContext(options)
{
    /// <summary>The PostgreSQL schema of all tables, views and functions.</summary>
    public const string Schema = "factory";

    /// <summary>The name of the database's connection string, and of its resource in the AppHost.</summary>
    public const string ConnectionName = "factorydb";

    /// <summary>What every user of the context must set: names in snake_case, the migrations' history in the schema itself.</summary>
    /// <typeparam name="TBuilder">The kind of builder, which is returned as it came.</typeparam>
    /// <param name="options">The options under way; changed in place.</param>
    /// <returns><paramref name="options"/>.</returns>
    public static TBuilder Configure<TBuilder>(TBuilder options)
        where TBuilder : DbContextOptionsBuilder
    {
        options.UseSnakeCaseNamingConvention();
        return options;
    }

    /// <summary>The table of <see cref="SigningKeyRow"/>.</summary>
    public DbSet<SigningKeyRow> SigningKeys => Set<SigningKeyRow>();

    /// <summary>The table of <see cref="EngineRow"/>.</summary>
    public DbSet<EngineRow> Engines => Set<EngineRow>();

    /// <summary>The table of <see cref="EngineMetricRow"/>.</summary>
    public DbSet<EngineMetricRow> EngineMetrics => Set<EngineMetricRow>();

    /// <summary>The table of <see cref="ReadingRow"/>.</summary>
    public DbSet<ReadingRow> Readings => Set<ReadingRow>();

    /// <summary>The table of <see cref="BatchRow"/>.</summary>
    public DbSet<BatchRow> Batches => Set<BatchRow>();

    /// <summary>The table of <see cref="WindowRow"/>.</summary>
    public DbSet<WindowRow> Windows => Set<WindowRow>();

    /// <summary>The table of <see cref="MinuteRow"/>.</summary>
    public DbSet<MinuteRow> Minutes => Set<MinuteRow>();

    /// <summary>The table of <see cref="HourRow"/>.</summary>
    public DbSet<HourRow> Hours => Set<HourRow>();

    /// <summary>The table of <see cref="DayRow"/>.</summary>
    public DbSet<DayRow> Days => Set<DayRow>();

    /// <summary>The table of <see cref="StaleMinuteRow"/>.</summary>
    public DbSet<StaleMinuteRow> StaleMinutes => Set<StaleMinuteRow>();

    /// <summary>The table of <see cref="RejectionRow"/>.</summary>
    public DbSet<RejectionRow> Rejections => Set<RejectionRow>();

    /// <summary>The table of <see cref="CheckpointRow"/>.</summary>
    public DbSet<CheckpointRow> Checkpoints => Set<CheckpointRow>();

    /// <summary>The table of <see cref="LedgerRow"/>.</summary>
    public DbSet<LedgerRow> Ledger => Set<LedgerRow>();

    /// <summary>The table of <see cref="RejectionCountRow"/>.</summary>
    public DbSet<RejectionCountRow> RejectionCounts => Set<RejectionCountRow>();

    /// <summary>The table of <see cref="RejectionsDroppedRow"/>.</summary>
    public DbSet<RejectionsDroppedRow> RejectionsDropped => Set<RejectionsDroppedRow>();

    /// <summary>The table of <see cref="LossRow"/>.</summary>
    public DbSet<LossRow> Losses => Set<LossRow>();

    /// <summary>The table of <see cref="TopicRow"/>.</summary>
    public DbSet<TopicRow> TopicCounts => Set<TopicRow>();

    /// <summary>The table of <see cref="AuditEventRow"/>.</summary>
    public DbSet<AuditEventRow> AuditEvents => Set<AuditEventRow>();

    /// <summary>The table of <see cref="AlertRuleRow"/>.</summary>
    public DbSet<AlertRuleRow> AlertRules => Set<AlertRuleRow>();

    /// <summary>The table of <see cref="AlertRow"/>.</summary>
    public DbSet<AlertRow> Alerts => Set<AlertRow>();

    /// <summary>The table of <see cref="AlertEventRow"/>.</summary>
    public DbSet<AlertEventRow> AlertEvents => Set<AlertEventRow>();

    /// <summary>The table of <see cref="RedriveRow"/>.</summary>
    public DbSet<RedriveRow> Redrives => Set<RedriveRow>();

    /// <summary>The table of <see cref="WebhookRow"/>.</summary>
    public DbSet<WebhookRow> Webhooks => Set<WebhookRow>();

    /// <summary>The table of <see cref="WebhookDeliveryRow"/>.</summary>
    public DbSet<WebhookDeliveryRow> WebhookDeliveries => Set<WebhookDeliveryRow>();

    /// <summary>The table of <see cref="DescribedMetricRow"/>.</summary>
    public DbSet<DescribedMetricRow> DescribedMetrics => Set<DescribedMetricRow>();

    /// <inheritdoc/>
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
        Windows<WindowRow>("engine_windows");
        Windows<MinuteRow>("engine_minutes");
        Windows<HourRow>("engine_hours");
        Windows<DayRow>("engine_days");
        modelBuilder.Entity<StaleMinuteRow>().ToTable("stale_minutes").HasKey(row => row.StaleNo);
        modelBuilder.Entity<RejectionRow>(rejection =>
        {
            rejection.ToTable("rejections").HasKey(row => row.RejectionNo);
            rejection.HasIndex(row => row.RejectedAt);
            rejection.HasIndex(row => new { row.FactoryId, row.RejectedAt });
            rejection.HasIndex(row => new { row.FactoryId, row.RejectionNo });
            rejection.HasIndex(row => row.DataSha256).HasFilter("data_sha256 IS NOT NULL");
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
        modelBuilder.Entity<AuditEventRow>(audit =>
        {
            audit.ToTable("audit_events").HasKey(row => row.EventNo);
            audit.Property(row => row.At).HasDefaultValueSql("now()");
        });
        modelBuilder.Entity<AlertRuleRow>(rule =>
        {
            rule.ToTable("alert_rules").HasKey(row => row.RuleNo);
            rule.Property(row => row.Version).HasDefaultValue(1);
        });
        modelBuilder.Entity<AlertRow>(alert =>
        {
            alert.ToTable("alerts").HasKey(row => row.AlertNo);
            alert.HasIndex(row => new { row.RuleNo, row.EngineNo }).IsUnique().HasFilter("state = 'raised'");
            alert.HasIndex(row => new { row.RuleNo, row.FactoryId }).IsUnique().HasFilter("state = 'raised' AND engine_no IS NULL");
            alert.HasIndex(row => new { row.EngineNo, row.RaisedAt });
            alert.HasIndex(row => new { row.RaisedAt, row.AlertNo });
            alert.Property(row => row.Revision).HasDefaultValue(0);
        });
        modelBuilder.Entity<AlertEventRow>(entry =>
        {
            entry.ToTable("alert_events").HasKey(row => row.EventNo);
            entry.HasIndex(row => row.AlertNo);
        });
        modelBuilder.Entity<RedriveRow>(redrive =>
        {
            redrive.ToTable("redrives").HasKey(row => row.RedriveNo);
            redrive.HasIndex(row => row.FactoryId).IsUnique().HasFilter("state = 'running'");
            redrive.Property(row => row.Selection).HasColumnType("jsonb");
            redrive.Property(row => row.AskedAt).HasDefaultValueSql("now()");
            redrive.Property(row => row.NextAttemptAt).HasDefaultValueSql("now()");
        });
        modelBuilder.Entity<WebhookRow>(webhook =>
        {
            webhook.ToTable("webhooks").HasKey(row => row.WebhookNo);
            webhook.Property(row => row.Version).HasDefaultValue(1);
        });
        modelBuilder.Entity<WebhookDeliveryRow>(delivery =>
        {
            delivery.ToTable("webhook_deliveries").HasKey(row => row.DeliveryNo);
            delivery.Property(row => row.CreatedAt).HasDefaultValueSql("now()");
            delivery.Property(row => row.State).HasDefaultValue("pending");
            delivery.Property(row => row.Attempts).HasDefaultValue(0);
            delivery.Property(row => row.NextAttemptAt).HasDefaultValueSql("now()");
            delivery.HasIndex(row => new { row.WebhookNo, row.DeliveryNo });
            delivery
                .HasIndex(row => new { row.WebhookNo, row.NextAttemptAt })
                .HasDatabaseName("ix_webhook_deliveries_pending")
                .HasFilter("state = 'pending'");
            delivery.HasIndex(row => new
            {
                row.AlertNo,
                row.WebhookNo,
                row.DeliveryNo,
            });
        });
        modelBuilder.Entity<DescribedMetricRow>(metric =>
        {
            metric.ToTable("metrics").HasKey(row => row.Name);
            metric.Property(row => row.Version).HasDefaultValue(1);
            metric.Property(row => row.UpdatedAt).HasDefaultValueSql("now()");
        });

        void Windows<TRow>(string table)
            where TRow : WindowColumns =>
            modelBuilder
                .Entity<TRow>()
                .ToTable(table)
                .HasKey(row => new
                {
                    row.EngineNo,
                    row.WindowStart,
                    row.WindowEnd,
                });
    }
}
