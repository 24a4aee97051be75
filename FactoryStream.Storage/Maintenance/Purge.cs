using Npgsql;

namespace FactoryStream.Storage;

/// <summary>
/// Deletes every reading, batch, window, rejection, re-drive and alert with what is to be sent of it, and the ledger of them; signing
/// keys, engines, alert rules, webhooks, units and descriptions of metrics, and how far the log was read stay.
/// </summary>
public static class Purge
{
    /// <summary>
    /// Purges in one transaction. Every checkpoint's epoch goes up first: a transaction under way is waited for and purged with the rest,
    /// and a later one of an Aggregator that still has the old in memory finds itself fenced, so that it begins anew from what is stored,
    /// which is nothing. Offsets stay, so that what was counted is not counted again; what is still in the log is counted from here on, and
    /// the ledger begins at zero and balances.
    /// </summary>
    /// <param name="database">The database with the schema <c>factory</c>.</param>
    /// <param name="cancellation">Ends the wait for the database; nothing is deleted then.</param>
    /// <exception cref="PostgresException">LockNotAvailable: someone reads the tables for longer than 10 s.</exception>
    public static async Task RunAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var statements = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new("SET LOCAL lock_timeout = '10s'"),
                // The order in which an Aggregator's transaction locks: checkpoints, then the rest. A roll-up begins with the stale
                // minutes: it is waited for there, or begins when all of this is over.
                new("UPDATE factory.checkpoints SET epoch = epoch + 1"),
                new(
                    """
                    TRUNCATE factory.stale_minutes, factory.readings, factory.batches, factory.engine_windows, factory.engine_minutes,
                        factory.engine_hours, factory.engine_days, factory.rejections, factory.rejection_counts,
                        factory.rejections_dropped, factory.ledger, factory.engine_metrics, factory.losses,
                        factory.alerts, factory.alert_events, factory.redrives, factory.webhook_deliveries
                    """
                ),
                // No window is closed any more: what comes next is late for none.
                new("UPDATE factory.engines SET closed_until = DEFAULT, rolled_until = DEFAULT, windows_written_at = DEFAULT"),
                new("SELECT pg_notify($1, '\"*\"')")
                {
                    Parameters = { new NpgsqlParameter<string> { TypedValue = WindowStatements.Channel } },
                },
            },
        };
        await statements.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
