using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace FactoryStream.Audit.Evidence;

/// <summary>
/// An exported reading whose evidence is a batch of the same export. Sample:
/// <c>{"data": {"factory_id": "factory_001", …}, "batch_sha256": "9f86d0…"}</c>
/// </summary>
/// <param name="Data">Its exact bytes.</param>
/// <param name="BatchSha256">Of the batch's exact bytes, the first half.</param>
internal readonly record struct BatchedReading(ReadOnlyMemory<byte> Data, UInt128 BatchSha256)
{
    /// <summary>False: it is no such line, which the usual parser may tell more about.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> line, out BatchedReading reading)
    {
        reading = default;
        if (line.Span.IndexOf("\"batch_sha256\""u8) < 0)
            return false;
        ReadOnlyMemory<byte> data = default;
        Span<byte> sha256 = stackalloc byte[SHA256.HashSizeInBytes];
        var hasHash = false;
        try
        {
            var json = new Utf8JsonReader(line.Span);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isData = json.ValueTextEquals("data"u8),
                    isHash = json.ValueTextEquals("batch_sha256"u8);
                json.Read();
                var start = (int)json.TokenStartIndex;
                if (isHash)
                    hasHash =
                        json.TokenType == JsonTokenType.String
                        && Convert.FromHexString(json.ValueSpan, sha256, out _, out var length) == System.Buffers.OperationStatus.Done
                        && length == sha256.Length;
                json.Skip();
                if (isData)
                    data = line[start..(int)json.BytesConsumed];
            }
        }
        catch (JsonException)
        {
            return false;
        }
        reading = new(data, MemoryMarshal.Read<UInt128>(sha256));
        return hasHash && !data.IsEmpty;
    }
}
