using System.Text;

namespace FactoryStream.Contracts;

/// <summary>
/// Gives the one string of some UTF-8 bytes, so that the few hundred ids and metric names of a plant are not allocated for every reading.
/// Bounded: once full, unknown names are allocated as usual. Not thread-safe.
/// </summary>
/// <param name="capacity">How many strings are kept at most.</param>
public sealed class Utf8StringPool(int capacity = 65_536)
{
    private readonly Dictionary<ulong, (byte[] Utf8, string Text)> entries = [];

    /// <summary>The string of <paramref name="utf8"/>, which must be valid UTF-8 without JSON escapes.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        var hash = Hash(utf8);
        if (entries.TryGetValue(hash, out var entry))
            return entry.Utf8.AsSpan().SequenceEqual(utf8) ? entry.Text : Encoding.UTF8.GetString(utf8);
        var text = Encoding.UTF8.GetString(utf8);
        if (entries.Count < capacity)
            entries.Add(hash, (utf8.ToArray(), text));
        return text;
    }

    // The runtime's own randomised hash: names come from outside, so collisions must not be for the choosing.
    private static ulong Hash(ReadOnlySpan<byte> utf8)
    {
        var hash = new HashCode();
        hash.AddBytes(utf8);
        return (uint)hash.ToHashCode() | ((ulong)utf8.Length << 32);
    }
}
