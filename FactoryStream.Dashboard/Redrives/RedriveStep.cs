using System.Data;
using System.Net;
using Npgsql;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>What became of a step.</summary>
internal enum StepOutcome
{
    /// <summary>Lines went on; there may be more.</summary>
    Moved,

    /// <summary>Ingest wants to be asked later, or does not respond.</summary>
    Waits,

    /// <summary>The re-drive is over.</summary>
    Ended,

    /// <summary>Another instance has the factory's lock.</summary>
    Elsewhere,
}

/// <summary>
/// Sends the next lines of a re-drive and writes down what came of them, in one transaction under the factory's advisory lock: whoever
/// dies in the middle leaves the row as it was, and the lines are sent once more.
/// </summary>
internal sealed class RedriveStep(NpgsqlDataSource database, IngestClient ingest)
{
    // A request of this many lines or bytes is acknowledged within a second, so the transaction, which waits for it, is short.
    private const int MaxLines = 500;
    private const int MaxBytes = 1 << 20;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    /// <summary>The re-drives that have lines to send now, the oldest first.</summary>
    public async Task<List<long>> DueAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "SELECT redrive_no FROM factory.redrives WHERE state = 'running' AND next_attempt_at <= clock_timestamp() ORDER BY redrive_no"
        );
        var due = new List<long>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            due.Add(reader.GetInt64(0));
        return due;
    }

    /// <summary>Sends the next lines of a re-drive.</summary>
    public async Task<StepOutcome> RunAsync(long redriveNo, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        if (!await TryLockAsync(connection, redriveNo, cancellation))
            return StepOutcome.Elsewhere;
        if (await ReadAsync(connection, redriveNo, cancellation) is not { } progress)
            return StepOutcome.Ended;
        var lines = await NextLinesAsync(connection, progress, cancellation);
        var whole = lines.FindAll(line => line.Kind == LineKind.Whole);
        var results = new StepResults();
        await SendAsync(whole.ConvertAll(line => line.Bytes!), results, cancellation);
        var outcome =
            results.Failure is not null ? StepOutcome.Ended
            : results.Wait is not null ? StepOutcome.Waits
            : lines.Count == 0 ? StepOutcome.Ended
            : StepOutcome.Moved;
        var isDone = outcome == StepOutcome.Moved;
        await WriteAsync(connection, redriveNo, isDone ? lines : [], results, outcome, cancellation);
        await transaction.CommitAsync(cancellation);
        return outcome;
    }

    private static async Task<bool> TryLockAsync(NpgsqlConnection connection, long redriveNo, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_try_advisory_xact_lock(hashtext('factory.redrives'), hashtext(factory_id))
            FROM factory.redrives WHERE redrive_no = $1
            """,
            connection
        );
        command.Parameters.AddWithValue(redriveNo);
        return await command.ExecuteScalarAsync(cancellation) is true;
    }

    // A statement of its own, after the lock: it sees what the last owner has written.
    private static async Task<Progress?> ReadAsync(NpgsqlConnection connection, long redriveNo, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT {RedrivesReader.Columns}, through_no, last_no FROM factory.redrives WHERE redrive_no = $1 AND state = 'running'",
            connection
        );
        command.Parameters.AddWithValue(redriveNo);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? new(RedrivesReader.Of(reader).Selection, reader.GetInt64(13), reader.GetInt64(14))
            : null;
    }

    private static async Task<List<KeptLine>> NextLinesAsync(NpgsqlConnection connection, Progress progress, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT rejection_no, CASE WHEN NOT is_unavailable THEN line END FROM (
                SELECT rejection_no, line, is_unavailable,
                    sum(octet_length(line)) OVER (ORDER BY rejection_no) - octet_length(line) AS earlier_bytes
                FROM (
                    SELECT rejection_no, line, {SelectedRejections.IsUnavailable} AS is_unavailable
                    FROM factory.rejections WHERE {SelectedRejections.Condition} ORDER BY rejection_no LIMIT {MaxLines}
                ) AS first
            ) AS sized
            WHERE earlier_bytes < {MaxBytes} ORDER BY rejection_no
            """,
            connection
        );
        command.Parameters.AddRange(SelectedRejections.Parameters(progress.Selection, progress.ThroughNo, progress.LastNo));
        var ofEngine = new EngineLines(progress.Selection.EngineId);
        var lines = new List<KeptLine>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var bytes = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
            lines.Add(
                new(
                    reader.GetInt64(0),
                    !ofEngine.Has(bytes) ? LineKind.OfOtherEngine
                        : bytes is null ? LineKind.Unavailable
                        : LineKind.Whole,
                    bytes
                )
            );
        }
        return lines;
    }

    private async Task SendAsync(List<byte[]> lines, StepResults results, CancellationToken cancellation)
    {
        await SendTogetherAsync(lines.FindAll(line => !IngestClient.HasLineBreak(line)), results, cancellation);
        foreach (var line in lines.Where(IngestClient.HasLineBreak))
            await SendTogetherAsync([line], results, cancellation);
    }

    private async Task SendTogetherAsync(List<byte[]> lines, StepResults results, CancellationToken cancellation)
    {
        if (lines.Count == 0 || results.IsBroken)
            return;
        var answer = await ingest.PostAsync(lines, cancellation);
        results.Readings += answer.Accepted;
        switch (answer.Status)
        {
            case HttpStatusCode.Accepted:
                results.Refused += answer.RefusedLines;
                results.Sent += lines.Count - answer.RefusedLines;
                return;
            // Ingest looks no further than so many lines that it refuses, or took none: which it would take is found one by one.
            case HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge when lines.Count > 1:
                foreach (var line in lines)
                    await SendTogetherAsync([line], results, cancellation);
                return;
            case HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge:
                results.Refused++;
                return;
            case null or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError:
                var asked = answer.RetryAfter ?? ShortestWait;
                results.Wait =
                    asked < ShortestWait ? ShortestWait
                    : asked > LongestWait ? LongestWait
                    : asked;
                results.Detail = answer.Status is null
                    ? "Ingest does not respond; the Dashboard finds it by services__ingest__http__0."
                    : answer.Detail ?? $"Ingest answers {(int)answer.Status}.";
                return;
            default:
                results.Failure = answer.Detail ?? $"Ingest answers {(int)answer.Status}; its log may say why.";
                return;
        }
    }

    /// <summary>Whatever the state is meanwhile: lines that were sent are marked though somebody has stopped the re-drive.</summary>
    private static async Task WriteAsync(
        NpgsqlConnection connection,
        long redriveNo,
        List<KeptLine> done,
        StepResults results,
        StepOutcome outcome,
        CancellationToken cancellation
    )
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("UPDATE factory.rejections SET redrive_no = $1, redriven_at = clock_timestamp() WHERE rejection_no = ANY ($2)")
                {
                    Parameters =
                    {
                        new NpgsqlParameter<long> { TypedValue = redriveNo },
                        new NpgsqlParameter<long[]>
                        {
                            TypedValue = [.. done.Where(line => line.Kind == LineKind.Whole).Select(line => line.No)],
                        },
                    },
                },
                new(
                    """
                    UPDATE factory.redrives SET through_no = greatest(through_no, $2), sent = sent + $3, refused = refused + $4,
                        unavailable = unavailable + $5, readings = readings + $6,
                        next_attempt_at = clock_timestamp() + $7,
                        state = CASE WHEN state = 'running' THEN $8 ELSE state END,
                        detail = CASE WHEN state = 'running' THEN $9 ELSE detail END,
                        ended_at = CASE WHEN state = 'running' AND $8 <> 'running' THEN clock_timestamp() ELSE ended_at END
                    WHERE redrive_no = $1
                    """
                )
                {
                    Parameters =
                    {
                        new NpgsqlParameter<long> { TypedValue = redriveNo },
                        new NpgsqlParameter<long> { TypedValue = done.Count == 0 ? 0 : done[^1].No },
                        new NpgsqlParameter<long> { TypedValue = done.Count == 0 ? 0 : results.Sent },
                        new NpgsqlParameter<long> { TypedValue = done.Count == 0 ? 0 : results.Refused },
                        new NpgsqlParameter<long> { TypedValue = done.Count(line => line.Kind == LineKind.Unavailable) },
                        new NpgsqlParameter<long> { TypedValue = results.Readings },
                        new NpgsqlParameter<TimeSpan> { TypedValue = results.Wait ?? TimeSpan.Zero },
                        new NpgsqlParameter<string>
                        {
                            TypedValue =
                                results.Failure is not null ? "failed"
                                : outcome == StepOutcome.Ended ? "complete"
                                : Redrive.Running,
                        },
                        PagedRows.Nullable(NpgsqlTypes.NpgsqlDbType.Text, results.Failure ?? results.Detail),
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private sealed record Progress(RedriveSelection Selection, long ThroughNo, long LastNo);

    private enum LineKind
    {
        Whole,

        /// <summary>Not kept whole.</summary>
        Unavailable,

        /// <summary>Passed over: the selection is of one engine.</summary>
        OfOtherEngine,
    }

    /// <summary>A rejection and its line, if that is whole.</summary>
    private readonly record struct KeptLine(long No, LineKind Kind, byte[]? Bytes);

    private sealed class StepResults
    {
        public int Sent { get; set; }

        public int Refused { get; set; }

        public int Readings { get; set; }

        public TimeSpan? Wait { get; set; }

        public string? Failure { get; set; }

        public string? Detail { get; set; }

        public bool IsBroken => Wait is not null || Failure is not null;
    }
}
