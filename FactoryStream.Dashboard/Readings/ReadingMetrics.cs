using System.Text.Json;

namespace FactoryStream.Dashboard.Readings;

/// <summary>The metrics of a stored reading, for people.</summary>
internal static class ReadingMetrics
{
    /// <summary>Names and numbers, digit for digit as they were signed.</summary>
    /// <param name="data">The exact bytes of <c>data</c>, of a reading that was accepted.</param>
    public static IReadOnlyList<(string Metric, string Number)> Of(byte[] data)
    {
        using var reading = JsonDocument.Parse(data);
        return
        [
            .. reading
                .RootElement.EnumerateObject()
                // A timestamp may be a number, too.
                .Where(member => member.Value.ValueKind == JsonValueKind.Number && !member.NameEquals("timestamp"u8))
                .Select(member => (member.Name, member.Value.GetRawText())),
        ];
    }
}
