using System.Text.Json;

namespace FactoryStream.Tests.Signatures;

/// <summary>The test vectors beside the checkout: <c>../shared/data/signed-readings</c>.</summary>
internal static class SignedReadings
{
    public const string MissingReason = "../shared/data/signed-readings is not beside this checkout.";

    /// <summary>Found from the test assembly upwards: the folder <c>shared</c> beside any folder above it.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>The exact bytes of the envelope's <c>data</c> value, and its signature.</summary>
    public static (byte[] Data, byte[] Signature) Parse(string envelope)
    {
        using var document = JsonDocument.Parse(envelope);
        var data = document.RootElement.GetProperty("data").GetRawText();
        return (System.Text.Encoding.UTF8.GetBytes(data), document.RootElement.GetProperty("signature").GetBytesFromBase64());
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "data", "signed-readings");
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
