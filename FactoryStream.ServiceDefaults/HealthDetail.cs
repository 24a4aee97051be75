using System.Net.Mime;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// What <c>/health</c> answers: <c>{"status": "Healthy", "checks": {"verifier": {"status": "Healthy", "data": {"signature_backend":
/// "avx512", ...}}}}</c>, for people and dashboards; probes look at the status code alone.
/// </summary>
internal static class HealthDetail
{
    public static async Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = MediaTypeNames.Application.Json;
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("status", report.Status.ToString());
        json.WriteStartObject("checks");
        foreach (var (name, entry) in report.Entries)
        {
            json.WriteStartObject(name);
            json.WriteString("status", entry.Status.ToString());
            if (entry.Description is not null)
                json.WriteString("description", entry.Description);
            if (entry.Data.Count > 0)
            {
                json.WriteStartObject("data");
                foreach (var (key, value) in entry.Data)
                    Write(json, key, value);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string key, object value)
    {
        switch (value)
        {
            case int number:
                json.WriteNumber(key, number);
                break;
            case long number:
                json.WriteNumber(key, number);
                break;
            case IReadOnlyDictionary<string, string> texts:
                json.WriteStartObject(key);
                foreach (var (name, text) in texts)
                    json.WriteString(name, text);
                json.WriteEndObject();
                break;
            default:
                json.WriteString(key, value.ToString());
                break;
        }
    }
}
