using System.Buffers;
using System.Buffers.Text;
using FactoryStream.Signatures;

namespace FactoryStream.Simulator.Factories;

/// <summary>
/// Writes signed readings as lines: <c>{"data": {…}, "signature": "J5Bz…"}\n</c>,
/// <c>{"batch": [{…}, {…}], "signature": "J5Bz…"}\n</c>.
/// </summary>
internal static class Envelope
{
    /// <summary>Signs exactly <paramref name="data"/> and appends the line.</summary>
    public static void Append(IBufferWriter<byte> lines, ReadOnlySpan<byte> data, ReadingSigner signer, SaltLength salt) =>
        Append(lines, "{\"data\": "u8, data, signer, salt);

    /// <summary>Signs exactly <paramref name="array"/>, readings from <c>[</c> to <c>]</c>, and appends the line.</summary>
    public static void AppendBatch(IBufferWriter<byte> lines, ReadOnlySpan<byte> array, ReadingSigner signer, SaltLength salt) =>
        Append(lines, "{\"batch\": "u8, array, signer, salt);

    private static void Append(
        IBufferWriter<byte> lines,
        ReadOnlySpan<byte> begin,
        ReadOnlySpan<byte> data,
        ReadingSigner signer,
        SaltLength salt
    )
    {
        Span<byte> signature = stackalloc byte[512];
        signature = signature[..signer.Sign(data, signature, salt)];
        var signatureLength = Base64.GetMaxEncodedToUtf8Length(signature.Length);
        ReadOnlySpan<byte> middle = ", \"signature\": \""u8,
            end = "\"}\n"u8;
        var length = begin.Length + data.Length + middle.Length + signatureLength + end.Length;
        var line = lines.GetSpan(length);
        begin.CopyTo(line);
        line = line[begin.Length..];
        data.CopyTo(line);
        line = line[data.Length..];
        middle.CopyTo(line);
        line = line[middle.Length..];
        Base64.EncodeToUtf8(signature, line, out _, out var written);
        end.CopyTo(line[written..]);
        lines.Advance(length);
    }
}
