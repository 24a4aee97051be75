using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>
/// From when on things are kept. Days are counted back from the clock, but from no later than the newest evidence: a clock that runs ahead
/// makes nothing old.
/// </summary>
internal sealed class RetentionTimes(IOptions<AggregatorOptions> options, TimeProvider time)
{
    /// <summary>
    /// Readings from before this are dropped, and none of them is taken in any more: it is too old (<c>too_old</c>). Null: no reading is
    /// ever too old, or there is none.
    /// </summary>
    public async Task<DateTime?> ExpiredBeforeAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        options.Value.RetentionDays > 0
            ? await KeptSinceAsync(connection, options.Value.RetentionDays, cancellation) - options.Value.RetentionGrace
            : null;

    /// <summary>What is kept for so many days is kept from this moment on; null: there is no reading.</summary>
    public async Task<DateTime?> KeptSinceAsync(NpgsqlConnection connection, int days, CancellationToken cancellation)
    {
        await using var evidence = new NpgsqlCommand("SELECT factory.newest_evidence()", connection);
        if (await evidence.ExecuteScalarAsync(cancellation) is not DateTime newest)
            return null;
        var now = time.GetUtcNow().UtcDateTime;
        return (newest < now ? newest : now).AddDays(-days);
    }
}
