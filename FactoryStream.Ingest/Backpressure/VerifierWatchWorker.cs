using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Backpressure;

/// <summary>What the Verifier tells of the keys it knows.</summary>
/// <param name="Factories">The factories that have one.</param>
/// <param name="Clock">The database's clock, now.</param>
internal sealed record VerifierFactories(IReadOnlyList<string> Factories, DateTimeOffset? Clock);

/// <summary>
/// Asks the Verifier every so often which factories have a key, so that those that have none share a part of the backlog
/// (<see cref="IngestOptions.UnknownKeyShare"/>), and what the database's clock says. What it said last stands while it is away; before its
/// first answer nobody is limited.
/// </summary>
internal sealed class VerifierWatchWorker(
    Backlog backlog,
    IConfiguration configuration,
    IOptions<IngestOptions> options,
    TimeProvider time,
    IngestLog log
) : BackgroundService
{
    private const int MaxAnswerBytes = 64 << 20;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    private readonly IngestOptions options = options.Value;
    private bool isAway;
    private long clockDifference;
    private bool clocksDiffer;

    /// <summary>
    /// How far the database's clock is ahead of this machine's, negative: behind; where it is more than clocks may differ, else null.
    /// </summary>
    public TimeSpan? ClockDifference => Volatile.Read(ref clocksDiffer) ? TimeSpan.FromTicks(Volatile.Read(ref clockDifference)) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // As the AppHost and the chart tell it; a lone Ingest knows of no Verifier.
        if ((configuration["services:verifier:http:0"] ?? configuration["services:verifier:https:0"]) is not { } address)
            return;
        using var client = new HttpClient
        {
            BaseAddress = new Uri(address),
            Timeout = RequestTimeout,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        var delay = options.VerifierPollInterval;
        try
        {
            while (true)
            {
                delay =
                    await AskAsync(client, stoppingToken) ? options.VerifierPollInterval
                    : delay * 2 < LongestDelay ? delay * 2
                    : LongestDelay;
                await Task.Delay(delay, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task<bool> AskAsync(HttpClient client, CancellationToken stoppingToken)
    {
        try
        {
            var asked = time.GetTimestamp();
            var told = await client.GetFromJsonAsync("/keys/factories", VerifierJson.Default.VerifierFactories, stoppingToken);
            if (told?.Factories is not { } factories)
                return Away("the answer names no factories");
            backlog.Learn(factories);
            if (told.Clock is { } clock)
                Compare(clock, time.GetElapsedTime(asked));
            if (isAway)
                log.VerifierBack();
            isAway = false;
            return true;
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            return Away(string.Create(CultureInfo.InvariantCulture, $"no answer within {RequestTimeout.TotalSeconds:F0} s"));
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException)
        {
            return Away(exception.Message);
        }
    }

    private bool Away(string reason)
    {
        if (!isAway)
            log.VerifierAway(reason);
        isAway = true;
        return false;
    }

    /// <summary>The clock was read on the way: half of it, as far as anybody can tell.</summary>
    private void Compare(DateTimeOffset clock, TimeSpan roundTrip)
    {
        var difference = clock - (time.GetUtcNow() - roundTrip / 2);
        Volatile.Write(ref clockDifference, difference.Ticks);
        var differ = difference.Duration() > options.MaxClockDifference;
        if (differ && !clocksDiffer)
            log.ClockDiffers(difference.TotalSeconds);
        else if (!differ && clocksDiffer)
            log.ClockAgrees();
        Volatile.Write(ref clocksDiffer, differ);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(VerifierFactories))]
internal sealed partial class VerifierJson : JsonSerializerContext;
