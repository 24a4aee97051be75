using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>Proves to a receiver who sent a message, and when: pure.</summary>
internal static class WebhookSignature
{
    /// <summary>The delivery's number: the same in each attempt, so that a receiver knows what it has had before.</summary>
    public const string DeliveryHeader = "FactoryStream-Delivery";

    /// <summary>Seconds since 1970 of the attempt.</summary>
    public const string TimestampHeader = "FactoryStream-Timestamp";

    /// <summary>e.g. <c>sha256=5f2b...</c></summary>
    public const string SignatureHeader = "FactoryStream-Signature";

    /// <summary>HMAC-SHA256 of <c>timestamp.body</c> by the webhook's secret, as the header has it.</summary>
    public static string Of(string secret, long timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{timestamp}.")));
        hmac.AppendData(body);
        return $"sha256={Convert.ToHexStringLower(hmac.GetHashAndReset())}";
    }
}
