using System.Text;
using System.Text.Json;

namespace FactoryStream.Dashboard.Readings;

/// <summary>A stored batch with what proves it and all its readings.</summary>
/// <param name="Sha256">The SHA-256 of the exact bytes of <c>batch</c>, by which its readings name it.</param>
/// <param name="FactoryId">The factory that signed it.</param>
/// <param name="KeyId">The signing key.</param>
/// <param name="MeasuredUntil">Event time of its newest reading, UTC.</param>
/// <param name="VerdictAt">When the Verifier accepted it, UTC.</param>
/// <param name="DataBase64">The exact bytes that were signed, from <c>[</c> to <c>]</c>, in base64.</param>
/// <param name="SignatureBase64">The signature over them in base64.</param>
internal sealed record SignedBatch(
    string Sha256,
    string FactoryId,
    string KeyId,
    DateTime MeasuredUntil,
    DateTime VerdictAt,
    string DataBase64,
    string SignatureBase64
)
{
    /// <summary>
    /// The batch as the program <c>audit</c> checks it. Sample:
    /// <c>{"batch": [{"factory_id": "f", …}, …], "signature": "J5Bz…", "key_id": "5f2c…"}</c>, with the bytes that were signed as they are.
    /// </summary>
    public byte[] Envelope() =>
        [
            .. "{\"batch\": "u8,
            .. Convert.FromBase64String(DataBase64),
            .. Encoding.UTF8.GetBytes($", \"signature\": \"{SignatureBase64}\", \"key_id\": \"{JsonEncodedText.Encode(KeyId)}\"}}\n"),
        ];
}
