using System.Text;
using Confluent.Kafka;

namespace FactoryStream.ServiceDefaults.Kafka;

/// <summary>Headers as FactoryStream's messages have them: UTF-8 texts.</summary>
public static class HeadersExtensions
{
    /// <summary>The last header of that name; null if there is none, or it has no value.</summary>
    public static string? Text(this Headers? headers, string name) =>
        headers is not null && headers.TryGetLastBytes(name, out var value) && value is not null ? Encoding.UTF8.GetString(value) : null;
}
