using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>Parameters of many rows at once: an array a column, for <c>unnest</c>.</summary>
internal static class ArrayParameters
{
    /// <summary>Adds one column of all rows as the next parameter.</summary>
    public static void AddArray<T>(this NpgsqlParameterCollection parameters, NpgsqlDbType type, IEnumerable<T> values) =>
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values.ToArray() });
}
