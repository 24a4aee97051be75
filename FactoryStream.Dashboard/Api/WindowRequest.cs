using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Dashboard.Api;

/// <summary>The parameters of <c>GET /api/windows</c>, as they come.</summary>
internal static class WindowRequest
{
    // Late enough for any reading; DateTime.MaxValue would be PostgreSQL's infinity.
    private static readonly DateTime EndOfTime = new(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Parses what was asked for; the errors by parameter where it makes no sense.</summary>
    public static (WindowQuery Query, WindowPlace? After, int Limit, Dictionary<string, string[]> Errors) Parse(
        IQueryCollection parameters, DateTime now, TimeSpan defaultSpan, int maxWindows)
    {
        var errors = new Dictionary<string, string[]>();
        var from = Time("from");
        var to = Time("to");
        var end = to ?? (from is null ? now : EndOfTime);
        var start = from ?? end - defaultSpan;
        if (errors.Count == 0 && start >= end)
            errors["from"] = ["must be before to"];

        var limit = maxWindows;
        if (Text("limit") is { } limitText && (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > maxWindows))
            errors["limit"] = [string.Create(CultureInfo.InvariantCulture, $"must be 1 to {maxWindows}")];
        WindowPlace? after = null;
        if (Text("after") is { } afterText && !TryPlace(afterText, out after))
            errors["after"] = ["is not what a next gave"];
        return (new WindowQuery(Text("factory_id"), Text("engine_id"), Text("metric"), start, end), after, limit, errors);

        string? Text(string name)
        {
            var values = parameters[name];
            if (values.Count > 1)
                errors[name] = ["is given more than once"];
            var value = values.Count > 0 ? values[0] : null;
            // PostgreSQL's text cannot hold it, so nothing is called that.
            if (value?.Contains('\0', StringComparison.Ordinal) == true)
                errors[name] = ["contains a null character"];
            return string.IsNullOrEmpty(value) ? null : value;
        }

        DateTime? Time(string name)
        {
            if (Text(name) is not { } text)
                return null;
            if (Timestamps.TryParse(Encoding.UTF8.GetBytes(text), out var time, out var error))
                return time;
            // In a query string + means a space: 2026-02-25T07:13:20+01:00 comes as 2026-02-25T07:13:20 01:00.
            var hint = text.LastIndexOf(' ') > 11 ? " (write + as %2B)" : "";
            errors[name] = [error + hint];
            return null;
        }
    }

    /// <summary>The address of what follows a place: the same question, its times written out so that it stays the same.</summary>
    public static string Next(string path, WindowQuery query, int limit, WindowPlace place)
    {
        var parameters = new List<KeyValuePair<string, string?>>();
        Add("factory_id", query.FactoryId);
        Add("engine_id", query.EngineId);
        Add("metric", query.Metric);
        Add("from", Iso(query.From));
        Add("to", Iso(query.To));
        Add("limit", limit.ToString(CultureInfo.InvariantCulture));
        string[] parts = [place.FactoryId, place.EngineId, Iso(place.WindowStart), Iso(place.WindowEnd), place.Metric];
        Add("after", Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts, DashboardJson.Default.StringArray)));
        return path + QueryString.Create(parameters);

        void Add(string name, string? value)
        {
            if (value is not null)
                parameters.Add(new(name, value));
        }
    }

    public static string Iso(DateTime utc) => utc.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture);

    private static bool TryPlace(string text, out WindowPlace? place)
    {
        place = null;
        if (!Base64Url.IsValid(text))
            return false;
        try
        {
            if (JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), DashboardJson.Default.StringArray) is not [{ } factoryId, { } engineId, { } start, { } end, { } metric]
                || !Timestamps.TryParse(Encoding.UTF8.GetBytes(start), out var windowStart, out _)
                || !Timestamps.TryParse(Encoding.UTF8.GetBytes(end), out var windowEnd, out _))
                return false;
            place = new WindowPlace(factoryId, engineId, windowStart, windowEnd, metric);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
