namespace FactoryStream.Simulator.Sending;

/// <summary>
/// Sends lines until each of them has its answer. Repetitions carry the very same bytes, so that a reading which Ingest took and whose
/// answer was lost is a duplicate and not a second reading.
/// </summary>
/// <param name="poster">How a POST is made.</param>
/// <param name="time">The clock of the pauses.</param>
/// <param name="giveUpAfter">How long one POST's lines are repeated; null: until cancelled.</param>
/// <param name="repeating">Told why, before each repetition.</param>
internal sealed class Delivery(IReadingsPoster poster, TimeProvider time, TimeSpan? giveUpAfter, Action<string>? repeating = null)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100),
        LongestPause = TimeSpan.FromSeconds(5),
        LongestRetryAfter = TimeSpan.FromSeconds(60);

    public async ValueTask<DeliveryResult> SendAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var pause = FirstPause;
        for (var repetitions = 0; ; repetitions++)
        {
            var answer = await poster.PostAsync(lines, cancellationToken);
            switch (answer.Outcome)
            {
                case PostOutcome.Answered:
                    return new DeliveryResult(answer.Accepted, answer.Refused, repetitions, null);
                case PostOutcome.TooLarge:
                    return await SendHalvesAsync(lines, repetitions, cancellationToken);
                case PostOutcome.Failed:
                    return new DeliveryResult(0, null, repetitions, answer.Why);
                case PostOutcome.Repeat when giveUpAfter is { } limit && time.GetElapsedTime(started) > limit:
                    return new DeliveryResult(0, null, repetitions, $"{answer.Why} (for {limit.TotalSeconds:0} s)");
            }
            repeating?.Invoke(answer.Why!);
            // Many senders that were cut off at once shall not come back at once.
            var wait = answer.RetryAfter is { } asked
                ? (asked < LongestRetryAfter ? asked : LongestRetryAfter)
                : pause * (0.5 + 0.5 * Random.Shared.NextDouble());
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    private async ValueTask<DeliveryResult> SendHalvesAsync(
        ReadOnlyMemory<byte> lines,
        int repetitions,
        CancellationToken cancellationToken
    )
    {
        var middle = lines.Span[(lines.Length / 2)..^1].IndexOf((byte)'\n');
        var cut = middle >= 0 ? lines.Length / 2 + middle + 1 : lines.Span[..(lines.Length / 2)].LastIndexOf((byte)'\n') + 1;
        if (cut == 0)
            return new DeliveryResult(0, new Dictionary<string, int> { ["too_large"] = 1 }, repetitions, null);
        var first = await SendAsync(lines[..cut], cancellationToken);
        var second = await SendAsync(lines[cut..], cancellationToken);
        return new DeliveryResult(
            first.Accepted + second.Accepted,
            PostCounts.Sum(first.Refused, second.Refused),
            repetitions + first.Repetitions + second.Repetitions,
            first.Failure ?? second.Failure
        );
    }
}

/// <summary>What became of some lines.</summary>
/// <param name="Accepted">How many readings are safe.</param>
/// <param name="Refused">How many lines Ingest refused for good, by reason; null: none.</param>
/// <param name="Repetitions">How many POSTs it took beyond the first.</param>
/// <param name="Failure">Why some have no answer; null: all have.</param>
internal readonly record struct DeliveryResult(int Accepted, IReadOnlyDictionary<string, int>? Refused, int Repetitions, string? Failure);
