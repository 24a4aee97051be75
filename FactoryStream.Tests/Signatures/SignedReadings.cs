using System.Text.Json;

namespace FactoryStream.Tests.Signatures;

/// <summary>The test vectors of <c>Data/signed-readings</c>.</summary>
internal static class SignedReadings
{
    public static string Folder { get; } = TestData.File("signed-readings");

    /// <summary>The exact bytes of the envelope's <c>data</c> value, and its signature.</summary>
    public static (byte[] Data, byte[] Signature) Parse(string envelope)
    {
        using var document = JsonDocument.Parse(envelope);
        var data = document.RootElement.GetProperty("data").GetRawText();
        return (System.Text.Encoding.UTF8.GetBytes(data), document.RootElement.GetProperty("signature").GetBytesFromBase64());
    }
}
