using Confluent.Kafka;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// Where Kafka, the windows and the database meet. One thread consumes and decodes while the last commits are under way. Whatever goes
/// wrong on the way (the database is away, a partition has another owner) ends the session: the group is left, all state dropped, and a new
/// session starts from the checkpoints.
/// </summary>
internal sealed class AggregatorWorker(
    NpgsqlDataSource database,
    KafkaConnection kafka,
    IOptions<AggregatorOptions> options,
    AggregatorMetrics metrics,
    AggregatorHealthCheck health,
    RetentionRuns retention,
    AlertRuleDirectory alertRules,
    TimeProvider time,
    AggregatorLog log
) : BackgroundService
{
    // For so many commits, messages that the state does not know may still arrive.
    private const int ConflictTolerantCommits = 100;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // After a session this long the pause begins with the shortest again.
    private static readonly TimeSpan LongSession = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = ShortestPause;
        var isConflict = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var begun = time.GetTimestamp();
            var session = new ConsumerSession(
                database,
                kafka,
                options.Value,
                isConflict ? ConflictTolerantCommits : 0,
                metrics,
                health,
                retention,
                alertRules,
                time,
                log,
                stoppingToken
            );
            try
            {
                await using (session)
                    await session.RunAsync();
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (PostgresException exception) when (IsStoredAlready(exception) && !session.IsConflictTolerant)
            {
                isConflict = true;
                log.ConflictTolerant(exception.MessageText);
            }
            catch (Exception exception) when (IsExpected(exception))
            {
                health.Failed(exception.Message);
                isConflict = false;
                if (exception is FencedException or LogChangedException || time.GetElapsedTime(begun) > LongSession)
                    pause = ShortestPause;
                log.CommitDropped(pause.TotalSeconds, exception.Message);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private static bool IsStoredAlready(PostgresException exception) =>
        exception.SqlState == PostgresErrorCodes.UniqueViolation
        && exception.TableName?.StartsWith("readings", StringComparison.Ordinal) == true;

    /// <summary>
    /// The database restarts, fails over, is full or not migrated yet, the broker is away, another owner has taken over, retention was
    /// quicker: to be tried again from the checkpoint.
    /// </summary>
    private static bool IsExpected(Exception exception) =>
        exception is FencedException or LogChangedException or KafkaException or TimeoutException or NpgsqlException { IsTransient: true }
        || exception is PostgresException { SqlState: var state } && IsOfTheServersState(state);

    private static bool IsOfTheServersState(string sqlState) =>
        sqlState
            is PostgresErrorCodes.AdminShutdown
                or PostgresErrorCodes.CrashShutdown
                or PostgresErrorCodes.CannotConnectNow
                or PostgresErrorCodes.ReadOnlySqlTransaction
                or PostgresErrorCodes.UndefinedTable
                or PostgresErrorCodes.UndefinedFunction
                or PostgresErrorCodes.InvalidSchemaName
                or PostgresErrorCodes.InvalidCatalogName
                or PostgresErrorCodes.CheckViolation;
}
