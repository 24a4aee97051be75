using System.Globalization;
using System.Text;

namespace FactoryStream.Kernels;

/// <summary>Lines of C#, those with a <c>#</c> once for each group of lanes, with its number in its place.</summary>
internal sealed class GroupedCode(StringBuilder text, int groups)
{
    public void Line(int depth, string line) => text.Append(' ', line.Length == 0 ? 0 : 4 * depth).Append(line).Append('\n');

    public int Groups => groups;

    public void One(int depth, int g, string line) =>
        Line(depth, line.Replace("#", g.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    /// <summary>The line once for each batch, # replaced by its number.</summary>
    public void Each(int depth, string line)
    {
        for (var g = 0; g < groups; g++)
            One(depth, g, line);
    }

    public void Product(int depth, int column, string row, int rowOffset, string other, int otherOffset)
    {
        Each(
            depth + 3,
            $"h#{column} = Avx512F.FusedMultiplyAdd(Vector512.LoadAligned((double*)({row}# + {rowOffset})), "
                + $"Vector512.LoadAligned((double*)({other}# + {otherOffset})), h#{column});"
        );
        Each(
            depth + 3,
            $"l#{column} += Avx512DQ.MultiplyLow(Vector512.LoadAligned((long*)({row}# + TShape.Long + {rowOffset})), "
                + $"Vector512.LoadAligned((long*)({other}# + TShape.Long + {otherOffset})));"
        );
    }
}
