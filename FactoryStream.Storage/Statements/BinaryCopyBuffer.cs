using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace FactoryStream.Storage;

/// <summary>
/// Rows in PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"), built in memory and sent in one go: no call a column
/// into the driver. Reusable; grows to the largest commit.
/// </summary>
public sealed class BinaryCopyBuffer
{
    // Numbers of types in PostgreSQL's catalogue.
    private const int Int64Oid = 20,
        TextOid = 25,
        Float8Oid = 701;

    // "PGCOPY\n\377\r\n\0", flags, header extension length.
    private static readonly byte[] Header = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly long PostgresEpoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    private byte[] bytes = new byte[64 * 1024];
    private int length;

    /// <summary>How many rows were begun since the last <see cref="Reset"/>.</summary>
    public int RowCount { get; private set; }

    /// <summary>Empties the buffer for the next rows; to be called before the first one too.</summary>
    public void Reset()
    {
        length = 0;
        RowCount = 0;
        Header.CopyTo(Reserve(Header.Length));
    }

    /// <summary>Begins a row.</summary>
    /// <param name="columns">How many values are written next, at least 1.</param>
    public void Row(short columns)
    {
        RowCount++;
        BinaryPrimitives.WriteInt16BigEndian(Reserve(2), columns);
    }

    /// <summary>An <c>integer</c>.</summary>
    /// <param name="value">Written as it is, big-endian.</param>
    public void Int32(int value)
    {
        var space = Reserve(8);
        BinaryPrimitives.WriteInt32BigEndian(space, 4);
        BinaryPrimitives.WriteInt32BigEndian(space[4..], value);
    }

    /// <summary>A <c>bigint</c>.</summary>
    /// <param name="value">Written as it is, big-endian.</param>
    public void Int64(long value)
    {
        var space = Reserve(12);
        BinaryPrimitives.WriteInt32BigEndian(space, 8);
        BinaryPrimitives.WriteInt64BigEndian(space[4..], value);
    }

    /// <summary>A <c>double precision</c>.</summary>
    /// <param name="value">Written as it is; NaN and infinities are values as well.</param>
    public void Float8(double value)
    {
        var space = Reserve(12);
        BinaryPrimitives.WriteInt32BigEndian(space, 8);
        BinaryPrimitives.WriteDoubleBigEndian(space[4..], value);
    }

    /// <summary>A <c>timestamptz</c>, sent as microseconds since 2000; what is less is cut off.</summary>
    /// <param name="utcTicks">The <see cref="DateTime.Ticks"/> of a time in UTC.</param>
    public void Timestamp(long utcTicks) => Int64((utcTicks - PostgresEpoch) / TimeSpan.TicksPerMicrosecond);

    /// <summary>A <c>bytea</c>, or <c>json</c> or <c>text</c> in UTF-8: the bytes as they are.</summary>
    /// <param name="value">The bytes, which are copied.</param>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        var space = Reserve(4 + value.Length);
        BinaryPrimitives.WriteInt32BigEndian(space, value.Length);
        value.CopyTo(space[4..]);
    }

    /// <summary>NULL, of any type.</summary>
    public void Null() => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), -1);

    /// <summary>A <c>text</c>.</summary>
    /// <param name="value">Without NUL, which PostgreSQL does not take.</param>
    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        var space = Reserve(4 + count);
        BinaryPrimitives.WriteInt32BigEndian(space, count);
        Encoding.UTF8.GetBytes(value, space[4..]);
    }

    /// <summary>A <c>text[]</c>.</summary>
    /// <param name="items">One element each.</param>
    /// <param name="value">An element's text, without NUL.</param>
    public void TextArray<T>(IReadOnlyList<T> items, Func<T, string> value)
    {
        var bytes = 0;
        foreach (var item in items)
            bytes += 4 + Encoding.UTF8.GetByteCount(value(item));
        Array(TextOid, items.Count, bytes);
        foreach (var item in items)
            Text(value(item));
    }

    /// <summary>A <c>bigint[]</c>.</summary>
    /// <param name="items">One element each.</param>
    /// <param name="value">An element's value.</param>
    public void Int64Array<T>(IReadOnlyList<T> items, Func<T, long> value)
    {
        Array(Int64Oid, items.Count, 12 * items.Count);
        foreach (var item in items)
            Int64(value(item));
    }

    /// <summary>A <c>double precision[]</c>.</summary>
    /// <param name="items">One element each.</param>
    /// <param name="value">An element's value.</param>
    public void Float8Array<T>(IReadOnlyList<T> items, Func<T, double> value)
    {
        Array(Float8Oid, items.Count, 12 * items.Count);
        foreach (var item in items)
            Float8(value(item));
    }

    /// <summary>Ends the rows.</summary>
    /// <returns>What is to be sent; valid until the next <see cref="Reset"/>.</returns>
    public ReadOnlyMemory<byte> Complete()
    {
        BinaryPrimitives.WriteInt16BigEndian(Reserve(2), -1);
        return bytes.AsMemory(0, length);
    }

    /// <summary>Ends the rows and sends them by binary COPY: the fast path. Nothing is sent where there is no row.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="target">The table and its columns in the rows' order, e.g. <see cref="ReadingStatements.CopyTarget"/>.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="PostgresException">UniqueViolation: a row is there already; the transaction has failed.</exception>
    public async Task CopyToAsync(NpgsqlConnection connection, string target, CancellationToken cancellation)
    {
        if (RowCount == 0)
            return;
        await using var copy = await connection.BeginRawBinaryCopyAsync($"COPY {target} FROM STDIN (FORMAT BINARY)", cancellation);
        await copy.WriteAsync(Complete(), cancellation);
    }

    /// <summary>Begins an array of one dimension, without nulls (PostgreSQL's <c>array_send</c>); its elements follow.</summary>
    private void Array(int elementOid, int count, int elementBytes)
    {
        var space = Reserve(24);
        ReadOnlySpan<int> words = [20 + elementBytes, 1, 0, elementOid, count, 1];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(space[(4 * i)..], words[i]);
    }

    private Span<byte> Reserve(int count)
    {
        if (length + count > bytes.Length)
            System.Array.Resize(ref bytes, Math.Max(bytes.Length * 2, length + count));
        var space = bytes.AsSpan(length, count);
        length += count;
        return space;
    }
}
