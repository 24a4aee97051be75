using System.Globalization;
using System.Text.Json;

namespace FactoryStream.Simulator.Sending;

/// <summary>What became of one POST.</summary>
internal enum PostOutcome
{
    /// <summary>Each line has its answer: safe, or refused for what it is.</summary>
    Answered,

    /// <summary>Not now (429, 503, another 5xx, no answer at all): the same bytes are to be sent again.</summary>
    Repeat,

    /// <summary>Too much for one request (413): the same lines are to be sent in smaller ones.</summary>
    TooLarge,

    /// <summary>No repetition will help: the address or this program is wrong.</summary>
    Failed,
}

/// <summary>Ingest's answer to <c>POST /readings</c>.</summary>
/// <param name="Outcome">What to do now.</param>
/// <param name="Accepted">Readings that are safe.</param>
/// <param name="Refused">Lines that are not and never will be, by reason; null: none.</param>
/// <param name="RetryAfter">How long Ingest asks to be left alone.</param>
/// <param name="Why">In words, where the outcome is not <see cref="PostOutcome.Answered"/>.</param>
internal readonly record struct PostAnswer(
    PostOutcome Outcome,
    int Accepted = 0,
    IReadOnlyDictionary<string, int>? Refused = null,
    TimeSpan? RetryAfter = null,
    string? Why = null
)
{
    /// <summary>Reads a response: 202 and 400 carry <c>{"accepted": 98, "rejected": [{"line": 17, "reason": "malformed"}]}</c>.</summary>
    public static PostAnswer From(int status, string? retryAfter, ReadOnlySpan<byte> body, DateTimeOffset now) =>
        status switch
        {
            202 or 400 when TryReadCounts(body, out var accepted, out var refused) => new PostAnswer(
                PostOutcome.Answered,
                accepted,
                refused
            ),
            413 => new PostAnswer(PostOutcome.TooLarge, Why: "413: too large"),
            408 or 429 or >= 500 => new PostAnswer(
                PostOutcome.Repeat,
                RetryAfter: ReadRetryAfter(retryAfter, now),
                Why: $"Ingest answers {status}"
            ),
            _ => new PostAnswer(
                PostOutcome.Failed,
                Why: $"Ingest answers {status}: {System.Text.Encoding.UTF8.GetString(body[..Math.Min(body.Length, 500)])}"
            ),
        };

    /// <summary>The connection broke or nothing came in time: whether Ingest has the lines is not known, so they are repeated.</summary>
    public static PostAnswer Broken(string why) => new(PostOutcome.Repeat, Why: why);

    private static TimeSpan? ReadRetryAfter(string? value, DateTimeOffset now)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(seconds);
        return
            DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            && date > now
            ? date - now
            : null;
    }

    private static bool TryReadCounts(ReadOnlySpan<byte> body, out int accepted, out Dictionary<string, int>? refused)
    {
        accepted = -1;
        refused = null;
        try
        {
            var json = new Utf8JsonReader(body);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isAccepted = json.ValueTextEquals("accepted"u8);
                var isRejected = json.ValueTextEquals("rejected"u8);
                json.Read();
                if (isAccepted && json.TokenType == JsonTokenType.Number)
                    accepted = json.GetInt32();
                else if (isRejected && json.TokenType == JsonTokenType.StartArray)
                    ReadRejected(ref json, ref refused);
                else
                    json.Skip();
            }
        }
        catch (JsonException)
        {
            return false;
        }
        return accepted >= 0;
    }

    private static void ReadRejected(ref Utf8JsonReader json, ref Dictionary<string, int>? refused)
    {
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var reason = "unnamed";
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isReason = json.ValueTextEquals("reason"u8);
                json.Read();
                if (isReason && json.TokenType == JsonTokenType.String)
                    reason = json.GetString()!;
                else
                    json.Skip();
            }
            refused ??= [];
            refused[reason] = refused.GetValueOrDefault(reason) + 1;
        }
    }
}
