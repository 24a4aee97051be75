using System.Threading.RateLimiting;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Rejections;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Explanations;

/// <summary>
/// Explains rejections, one at a time and a few a minute for each client: a try costs as much as a hundred checks of signatures.
/// </summary>
internal sealed class RejectionExplanations(TimedSearch search, RejectionsReader rejections, IOptions<DashboardOptions> options)
    : IDisposable
{
    private static readonly TimeSpan BusyRetryAfter = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);

    private readonly PartitionedRateLimiter<string> perClient = PartitionedRateLimiter.Create<string, string>(client =>
        RateLimitPartition.GetFixedWindowLimiter(
            client,
            _ => new() { PermitLimit = options.Value.ExplanationsPerMinute, Window = TimeSpan.FromMinutes(1) }
        )
    );

    /// <param name="id">The rejection's id.</param>
    /// <param name="client">Who asks: an address.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<ExplanationAttempt> ExplainAsync(long id, string client, CancellationToken cancellation)
    {
        if (!await turn.WaitAsync(0, cancellation))
            return new(null, BusyRetryAfter);
        try
        {
            using var lease = perClient.AttemptAcquire(client);
            if (!lease.IsAcquired)
                return new(null, lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromMinutes(1));
            if (await rejections.FindAsync(id, cancellation) is not { } found)
                return default;
            var parts = EnvelopeParts.Find(found.Line);
            if (parts.Data.IsEmpty || parts.Signature is not { } signature)
                return new(NothingToCheck, null);
            var keys = await ReadKeysAsync(found.Rejection.FactoryId, parts.KeyId, cancellation);
            // Off the page's own turn: it may take a second.
            var explanation = await Task.Run(
                () => SignatureExplanation.Find(parts.Data, signature, found.Rejection.FactoryId, parts.KeyId, keys),
                cancellation
            );
            return new(Answer(explanation, found.Rejection, keys.Count), null);
        }
        finally
        {
            turn.Release();
        }
    }

    private static ExplanationResponse NothingToCheck { get; } =
        new(
            "nothing_to_check",
            "What is kept of the line has no whole data with a signature in base64; the rejection's detail says what is wrong.",
            null,
            null,
            0,
            []
        );

    private static ExplanationResponse Answer(SignatureExplanation? explanation, Rejection rejection, int keysTried)
    {
        var causes = explanation?.Causes ?? [];
        var (outcome, sentence) = explanation switch
        {
            null => ("nothing_found", NothingFound(keysTried)),
            { Causes: [] } => ("valid", Valid(rejection)),
            _ => ("found", string.Join(' ', causes.Select(cause => cause.Advice))),
        };
        return new(
            outcome,
            sentence,
            explanation?.Key.KeyId,
            explanation?.Key.FactoryId,
            keysTried,
            [.. SignatureCause.All.Select(cause => new ExplanationTry(cause.Name, causes.Contains(cause)))]
        );
    }

    private static string NothingFound(int keysTried) =>
        keysTried == 0
            ? "No key is enrolled; enrol the machine's public key."
            : $"Nothing that was tried with {keysTried} enrolled keys holds; check that the machine's private key is that of an enrolled "
                + "public key, and that nothing changes the data after it was signed.";

    private static string Valid(Rejection rejection) =>
        VerdictNames.TryParse(rejection.Reason, out var verdict) && verdict is Verdict.BadSignature or Verdict.UnknownKey
            ? "The signature holds now, with a key that was enrolled after the reading was rejected; send the reading again."
            : $"The signature holds; the reading was rejected for another reason, {rejection.Reason}.";

    /// <summary>The key that the envelope names, then the factory's, then others, the newest first.</summary>
    private Task<List<ExplainedKey>> ReadKeysAsync(string factoryId, string? keyId, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    """
                    SELECT key_id, factory_id, public_key FROM factory.signing_keys
                    ORDER BY factory_id = $1 AND key_id = $2 DESC, factory_id = $1 DESC, key_id = $2 DESC, key_no DESC
                    LIMIT $3
                    """,
                    connection
                );
                command.Parameters.AddWithValue(factoryId);
                command.Parameters.AddWithValue(StorableText.IsName(keyId) ? keyId : "");
                command.Parameters.AddWithValue(options.Value.ExplanationKeys);
                var keys = new List<ExplainedKey>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                {
                    if (ExplainedKey.TryRead(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<byte[]>(2)) is { } key)
                        keys.Add(key);
                }
                return keys;
            },
            "Ask again later.",
            cancellation
        );

    public void Dispose()
    {
        turn.Dispose();
        perClient.Dispose();
    }
}
