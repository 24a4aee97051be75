using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>A selection as a condition on <c>factory.rejections</c>, with its parameters <c>$1</c> to <c>$8</c>.</summary>
internal static class SelectedRejections
{
    public const string Condition = """
        factory_id = $1 AND ($2::text IS NULL OR reason = $2)
            AND ($3::timestamptz IS NULL OR rejected_at >= $3) AND ($4::timestamptz IS NULL OR rejected_at < $4)
            AND ($5::bigint[] IS NULL OR rejection_no = ANY ($5)) AND ($6 OR redriven_at IS NULL)
            AND rejection_no > $7 AND rejection_no <= $8
        """;

    /// <summary>Of a line that is too large only the beginning is kept.</summary>
    public const string IsUnavailable = "(reason = 'too_large' OR octet_length(line) = 0)";

    /// <param name="selection">Which rejections.</param>
    /// <param name="after">Only rejections of a higher number.</param>
    /// <param name="last">The highest number, inclusive.</param>
    public static NpgsqlParameter[] Parameters(RedriveSelection selection, long after = 0, long last = long.MaxValue) =>
        [
            new NpgsqlParameter<string> { TypedValue = selection.FactoryId },
            PagedRows.Nullable(NpgsqlDbType.Text, selection.Reason),
            PagedRows.Nullable(NpgsqlDbType.TimestampTz, selection.From),
            PagedRows.Nullable(NpgsqlDbType.TimestampTz, selection.To),
            PagedRows.Nullable(NpgsqlDbType.Array | NpgsqlDbType.Bigint, selection.Ids?.ToArray()),
            new NpgsqlParameter<bool> { TypedValue = selection.Again },
            new NpgsqlParameter<long> { TypedValue = after },
            new NpgsqlParameter<long> { TypedValue = last },
        ];
}
