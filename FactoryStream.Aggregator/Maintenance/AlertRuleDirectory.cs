using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>
/// The alert rules that are turned on, in memory for all transactions. Read again every few seconds, and whenever partitions are given: so
/// no window closes before the rules are known.
/// </summary>
internal sealed class AlertRuleDirectory(NpgsqlDataSource database)
{
    private volatile IReadOnlyList<AlertRule> current = [];

    public IReadOnlyList<AlertRule> Current => current;

    public async Task LoadAsync(CancellationToken cancellation) => current = await AlertReader.RulesAsync(database, cancellation);
}
