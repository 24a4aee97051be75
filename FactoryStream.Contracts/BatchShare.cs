using System.Globalization;
using System.Text;

namespace FactoryStream.Contracts;

/// <summary>
/// The header <see cref="MessageHeaders.BatchShare"/>: which readings of a batch are the partition's own, counted from 0 in the array's
/// order. With it nobody behind Ingest needs to know how many partitions there were when a batch was sent. Sample: <c>0-3,7,12-13</c>.
/// </summary>
public static class BatchShare
{
    /// <summary>Writes the header's text.</summary>
    /// <param name="indexes">Places in the batch's array, from 0, in ascending order.</param>
    public static string Format(ReadOnlySpan<int> indexes)
    {
        var text = new StringBuilder();
        for (var i = 0; i < indexes.Length; i++)
        {
            var first = indexes[i];
            while (i + 1 < indexes.Length && indexes[i + 1] == indexes[i] + 1)
                i++;
            if (text.Length > 0)
                text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"{first}");
            if (indexes[i] > first)
                text.Append(CultureInfo.InvariantCulture, $"-{indexes[i]}");
        }
        return text.ToString();
    }

    /// <summary>
    /// Parses what <see cref="Format"/> gave: ascending, at least one, all below <see cref="ReadingParser.MaxBatchReadings"/>; false for
    /// anything else.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out int[] indexes)
    {
        var found = new List<int>();
        indexes = [];
        foreach (var range in text.Split((byte)','))
        {
            var part = text[range];
            var dash = part.IndexOf((byte)'-');
            if (
                !TryParse(dash < 0 ? part : part[..dash], out int first)
                || !TryParse(dash < 0 ? part : part[(dash + 1)..], out int last)
                || last < first
                || (found.Count > 0 && first <= found[^1])
            )
                return false;
            for (var index = first; index <= last; index++)
                found.Add(index);
        }
        indexes = [.. found];
        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> text, out int index) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < ReadingParser.MaxBatchReadings;
}
