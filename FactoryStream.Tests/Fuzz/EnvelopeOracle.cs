using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace FactoryStream.Tests.Fuzz;

/// <summary>A reading as the oracle sees it.</summary>
internal sealed record ExpectedReading(
    string FactoryId,
    string EngineId,
    DateTime MeasuredAt,
    string Bytes,
    IReadOnlyList<(string Name, long Bits)> Metrics
);

/// <summary>An envelope as the oracle sees it.</summary>
/// <param name="Data">What is signed.</param>
/// <param name="Signature">In base64 with padding and nothing else.</param>
/// <param name="KeyId">As the sender names it, or null.</param>
/// <param name="IsBatch">The signature is over an array.</param>
/// <param name="Readings">At least one.</param>
internal sealed record ExpectedEnvelope(
    string Data,
    string Signature,
    string? KeyId,
    bool IsBatch,
    IReadOnlyList<ExpectedReading> Readings
);

/// <summary>
/// The rules of the wire, written a second time and in another way: on the library's document, its own texts, regular expressions,
/// whole-number arithmetic and <see cref="DateTime"/>, with nothing of the parser's. Slow, and meant to be read.
/// </summary>
internal static partial class EnvelopeOracle
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The envelope of a line, or null: it is to be refused.</summary>
    public static ExpectedEnvelope? Parse(byte[] line)
    {
        try
        {
            StrictUtf8.GetCharCount(line);
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 8 });
            return OfEnvelope(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            // No JSON; no UTF-8; a string that stands for half a surrogate pair, which is no text.
            return null;
        }
    }

    private static ExpectedEnvelope? OfEnvelope(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return null;
        var members = root.EnumerateObject().Select(member => (member.Name, member.Value)).ToArray();
        if (members.Any(member => member.Name.Contains('\0', StringComparison.Ordinal)))
            return null;
        var known = members.Where(member => member.Name is "data" or "batch" or "signature" or "key_id").ToArray();
        if (known.Select(member => member.Name).Distinct().Count() != known.Length)
            return null;
        var values = known.ToDictionary(member => member.Name, member => member.Value);
        if (
            values.ContainsKey("data") == values.ContainsKey("batch")
            || !values.TryGetValue("signature", out var signed)
            || Base64Of(signed) is not { } signature
        )
            return null;
        string? keyId = null;
        if (values.TryGetValue("key_id", out var key) && key.ValueKind != JsonValueKind.Null && (keyId = NameOf(key)) is null)
            return null;

        var isBatch = values.TryGetValue("batch", out var batch);
        if (isBatch && (batch.ValueKind != JsonValueKind.Array || batch.GetArrayLength() is < 1 or > 1_000))
            return null;
        var readings = (isBatch ? batch.EnumerateArray().AsEnumerable() : [values["data"]]).Select(OfReading).ToArray();
        if (readings.Any(reading => reading is null) || readings.DistinctBy(reading => reading!.FactoryId).Count() != 1)
            return null;
        return new ExpectedEnvelope(Raw(isBatch ? batch : values["data"]), signature, keyId, isBatch, readings!);
    }

    private static ExpectedReading? OfReading(JsonElement data)
    {
        if (data.ValueKind != JsonValueKind.Object)
            return null;
        var members = data.EnumerateObject().Select(member => (member.Name, member.Value)).ToArray();
        if (
            members.Any(member => !IsName(member.Name) || !HoldsText(member.Value))
            || members.DistinctBy(member => member.Name).Count() != members.Length
        )
            return null;
        var values = members.ToDictionary(member => member.Name, member => member.Value);
        if (
            !values.Remove("factory_id", out var factory)
            || NameOf(factory) is not { } factoryId
            || !values.Remove("engine_id", out var engine)
            || NameOf(engine) is not { } engineId
            || !values.Remove("timestamp", out var time)
            || TimeOf(time) is not { } measuredAt
        )
            return null;
        var numbers = members
            .Where(member => values.ContainsKey(member.Name) && member.Value.ValueKind == JsonValueKind.Number)
            .Select(member => (member.Name, Value: double.Parse(Raw(member.Value), NumberStyles.Float, CultureInfo.InvariantCulture)))
            .ToArray();
        if (numbers.Any(number => !double.IsFinite(number.Value)) || numbers.Length > 256 || values.Count - numbers.Length > 256)
            return null;
        return new ExpectedReading(
            factoryId,
            engineId,
            measuredAt,
            Raw(data),
            [.. numbers.Select(number => (number.Name, BitConverter.DoubleToInt64Bits(number.Value)))]
        );
    }

    private static string Raw(JsonElement value) => StrictUtf8.GetString(JsonMarshal.GetRawUtf8Value(value));

    /// <summary>Whether every string in it, names too, is one that a database holds. Half a surrogate pair throws.</summary>
    private static bool HoldsText(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => !value.GetString()!.Contains('\0', StringComparison.Ordinal),
            JsonValueKind.Array => value.EnumerateArray().All(HoldsText),
            JsonValueKind.Object => value
                .EnumerateObject()
                .All(member => !member.Name.Contains('\0', StringComparison.Ordinal) && HoldsText(member.Value)),
            _ => true,
        };

    private static string? NameOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && IsName(text) ? text : null;

    private static bool IsName(string text) => NameRule().IsMatch(text);

    private static string? Base64Of(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            return null;
        var match = Base64Rule().Match(WhiteSpace().Replace(value.GetString()!, "").Replace('-', '+').Replace('_', '/'));
        if (!match.Success || match.Groups[1].Length % 4 == 1)
            return null;
        var letters = match.Groups[1].Value;
        var padded = letters.PadRight((letters.Length + 3) / 4 * 4, '=');
        // Bits of the last letter that belong to no byte: another text of the same bytes.
        return
            letters.Length + match.Groups[2].Length <= padded.Length && Convert.ToBase64String(Convert.FromBase64String(padded)) == padded
            ? padded
            : null;
    }

    private static DateTime? TimeOf(JsonElement value) =>
        Raw(value) switch
        {
            var raw when value.ValueKind == JsonValueKind.Number => raw.Length <= 64 ? TimeOfNumber(raw) : null,
            var raw when value.ValueKind == JsonValueKind.String => StrictUtf8.GetByteCount(raw) - 2 <= 64
                ? TimeOfText(value.GetString()!)
                : null,
            _ => null,
        };

    private static DateTime? TimeOfText(string text)
    {
        var match = ExtendedTime().Match(text);
        if (!match.Success)
            match = BasicTime().Match(text);
        if (!match.Success)
            return null;
        var isLeap = match.Groups["second"].Value == "60";
        var whole = (match.Groups["date"].Value + match.Groups["minute"].Value + (isLeap ? "59" : match.Groups["second"].Value))
            .Replace("-", "", StringComparison.Ordinal)
            .Replace(":", "", StringComparison.Ordinal);
        if (
            !DateTime.TryParseExact(
                whole,
                "yyyyMMddHHmmss",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var local
            )
        )
            return null;
        var microseconds = local.Ticks / 10 + (isLeap ? 1_000_000 : 0);
        if (match.Groups["fraction"].Value is { Length: > 0 } fraction)
            microseconds += int.Parse(fraction.PadRight(6, '0')[..6], CultureInfo.InvariantCulture);
        if (match.Groups["hours"].Value is { Length: > 0 } hours)
        {
            var minutes = match.Groups["minutes"].Value is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : 0;
            if (int.Parse(hours, CultureInfo.InvariantCulture) > 23 || minutes > 59)
                return null;
            microseconds -=
                (match.Groups["sign"].Value == "-" ? -1 : 1)
                * (int.Parse(hours, CultureInfo.InvariantCulture) * 60L + minutes)
                * 60_000_000;
        }
        // A leap second is the last of a day in UTC.
        return Utc(microseconds) is { } utc && (!isLeap || utc.TimeOfDay < TimeSpan.FromSeconds(1)) ? utc : null;
    }

    private static DateTime? TimeOfNumber(string raw)
    {
        var match = Number().Match(raw);
        var fraction = match.Groups["fraction"].Value;
        var digits = BigInteger.Parse(match.Groups["whole"].Value + fraction, CultureInfo.InvariantCulture);
        if (digits.IsZero)
            return DateTime.UnixEpoch;
        if (raw[0] == '-')
            return null;
        var exponent = match.Groups["exponent"].Value is { Length: > 0 } given
            ? BigInteger.Parse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
            : 0;
        exponent -= fraction.Length;
        if (exponent > 100)
            return null;
        if (exponent < -200)
            return DateTime.UnixEpoch;
        // In units of 1e-210, so that all of it is whole.
        var unit = BigInteger.Pow(10, 210);
        var value = digits * BigInteger.Pow(10, 210 + (int)exponent);
        var microseconds =
            value < BigInteger.Pow(10, 11) * unit ? value * 1_000_000 / unit
            : value < BigInteger.Pow(10, 14) * unit ? value * 1_000 / unit
            : value < BigInteger.Pow(10, 17) * unit ? value / unit
            : value / unit / 1_000;
        return microseconds > long.MaxValue / 20 ? null : Utc((long)microseconds + DateTime.UnixEpoch.Ticks / 10);
    }

    private static DateTime? Utc(long microseconds) =>
        microseconds >= DateTime.UnixEpoch.Ticks / 10 && microseconds <= DateTime.MaxValue.Ticks / 10
            ? new DateTime(microseconds * 10, DateTimeKind.Utc)
            : null;

    [GeneratedRegex(@"\A[^\p{Cc}]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameRule();

    [GeneratedRegex(@"[ \t\r\n]")]
    private static partial Regex WhiteSpace();

    [GeneratedRegex(@"\A([A-Za-z0-9+/]+)(={0,2})\z")]
    private static partial Regex Base64Rule();

    private const string FractionAndOffset =
        @"([.,](?<fraction>[0-9]+))?([Zz]|(?<sign>[+-])(?<hours>[0-9]{2})(:?(?<minutes>[0-9]{2}))?)?\z";

    [GeneratedRegex(@"\A(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<minute>[0-9]{2}:[0-9]{2}):(?<second>[0-9]{2})" + FractionAndOffset)]
    private static partial Regex ExtendedTime();

    [GeneratedRegex(@"\A(?<date>[0-9]{8})[Tt ](?<minute>[0-9]{4})(?<second>[0-9]{2})" + FractionAndOffset)]
    private static partial Regex BasicTime();

    [GeneratedRegex(@"\A-?(?<whole>[0-9]+)(\.(?<fraction>[0-9]+))?([eE](?<exponent>[+-]?[0-9]+))?\z")]
    private static partial Regex Number();
}
