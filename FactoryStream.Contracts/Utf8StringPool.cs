using System.Text;

namespace FactoryStream.Contracts;

/// <summary>
/// Gives the one string of some UTF-8 bytes, so that the few hundred ids and metric names of a plant are not allocated for every reading.
/// Bounded in number and in bytes: once full it is emptied, for who invents names without end must neither fill the memory nor keep a
/// plant's own names out. Not thread-safe.
/// </summary>
/// <param name="capacity">How many strings are kept at most.</param>
/// <param name="maxBytes">How many bytes of UTF-8 they may have together; with the strings themselves it costs about five times as much
/// memory.</param>
public sealed class Utf8StringPool(int capacity = 65_536, int maxBytes = 2 << 20)
{
    private readonly Dictionary<ulong, (byte[] Utf8, string Text)> entries = [];
    private int bytes;

    /// <summary>How many strings it holds, at most its capacity.</summary>
    public int Count => entries.Count;

    /// <summary>The string of <paramref name="utf8"/>, which must be valid UTF-8 without JSON escapes.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        var hash = Hash(utf8);
        if (entries.TryGetValue(hash, out var entry))
            return entry.Utf8.AsSpan().SequenceEqual(utf8) ? entry.Text : Encoding.UTF8.GetString(utf8);
        var text = Encoding.UTF8.GetString(utf8);
        if (entries.Count >= capacity || bytes + utf8.Length > maxBytes)
        {
            entries.Clear();
            bytes = 0;
        }
        entries.Add(hash, (utf8.ToArray(), text));
        bytes += utf8.Length;
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
