using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FactoryStream.Dashboard.Explanations;

/// <summary>Bytes that a machine may have signed in place of the data that it sent.</summary>
/// <param name="Causes">How they differ from the data; none: they are the data.</param>
/// <param name="Bytes">What was signed then.</param>
internal sealed record SignedForm(IReadOnlyList<SignatureCause> Causes, byte[] Bytes);

/// <summary>What may have been signed: the data, or the same JSON written otherwise, with a line's end, or hashed before.</summary>
internal static class SignedForms
{
    /// <summary>All of them, each once, those with the fewest differences first.</summary>
    public static IReadOnlyList<SignedForm> Of(ReadOnlyMemory<byte> data) =>
        [
            .. Layouts(data)
                .SelectMany(WithEndings)
                .SelectMany(WithHashes)
                .DistinctBy(form => Convert.ToBase64String(SHA256.HashData(form.Bytes)))
                .OrderBy(form => form.Causes.Count),
        ];

    private static IEnumerable<SignedForm> Layouts(ReadOnlyMemory<byte> data)
    {
        var asSent = data.ToArray();
        yield return new([], asSent);
        SignatureCause[] compact = Differs(isSpaced: false) ? [SignatureCause.NoWhiteSpace] : [];
        SignatureCause[] spaced = Differs(isSpaced: true) ? [SignatureCause.SpacesAfterSeparators] : [];
        yield return new(compact, Write(data, isSpaced: false, isSorted: false));
        yield return new(spaced, Write(data, isSpaced: true, isSorted: false));
        yield return new([.. compact, SignatureCause.MembersSorted], Write(data, isSpaced: false, isSorted: true));
        yield return new([.. spaced, SignatureCause.MembersSorted], Write(data, isSpaced: true, isSorted: true));

        bool Differs(bool isSpaced) => !Write(data, isSpaced, isSorted: false).AsSpan().SequenceEqual(asSent);
    }

    private static IEnumerable<SignedForm> WithEndings(SignedForm form) =>
        [
            form,
            new([.. form.Causes, SignatureCause.TrailingLineFeed], [.. form.Bytes, (byte)'\n']),
            new([.. form.Causes, SignatureCause.TrailingCarriageReturn], [.. form.Bytes, (byte)'\r', (byte)'\n']),
        ];

    private static IEnumerable<SignedForm> WithHashes(SignedForm form)
    {
        var hash = SHA256.HashData(form.Bytes);
        return
        [
            form,
            new([.. form.Causes, SignatureCause.HashedTwice], hash),
            new([.. form.Causes, SignatureCause.HexHashedTwice], Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash))),
        ];
    }

    /// <summary>The same JSON, its names, texts and numbers byte for byte, with other white space and perhaps another order.</summary>
    private static byte[] Write(ReadOnlyMemory<byte> data, bool isSpaced, bool isSorted)
    {
        var json = new Utf8JsonReader(data.Span);
        json.Read();
        return Value(ref json, data.Span, isSpaced, isSorted);
    }

    private static byte[] Value(ref Utf8JsonReader json, ReadOnlySpan<byte> data, bool isSpaced, bool isSorted)
    {
        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return data[(int)json.TokenStartIndex..(int)json.BytesConsumed].ToArray();
        var isObject = json.TokenType == JsonTokenType.StartObject;
        var items = new List<(byte[] Name, byte[] Value)>();
        while (json.Read() && json.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
        {
            byte[] name = [];
            if (isObject)
            {
                name = json.ValueSpan.ToArray();
                json.Read();
            }
            items.Add((name, Value(ref json, data, isSpaced, isSorted)));
        }
        if (isObject && isSorted)
            items.Sort((one, other) => one.Name.AsSpan().SequenceCompareTo(other.Name));

        var written = new ArrayBufferWriter<byte>();
        written.Write(isObject ? "{"u8 : "["u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                written.Write(isSpaced ? ", "u8 : ","u8);
            if (isObject)
            {
                written.Write("\""u8);
                written.Write(items[i].Name);
                written.Write(isSpaced ? "\": "u8 : "\":"u8);
            }
            written.Write(items[i].Value);
        }
        written.Write(isObject ? "}"u8 : "]"u8);
        return written.WrittenSpan.ToArray();
    }
}
