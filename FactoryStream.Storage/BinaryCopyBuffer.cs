using System.Buffers.Binary;
using System.Text;

namespace FactoryStream.Storage;

/// <summary>
/// Rows in PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"), built in memory and sent in one go: no call a column
/// into the driver. Reusable; grows to the largest batch.
/// </summary>
public sealed class BinaryCopyBuffer
{
    // "PGCOPY\n\377\r\n\0", flags, header extension length.
    private static readonly byte[] Header = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly long PostgresEpoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    private byte[] bytes = new byte[64 * 1024];
    private int length;

    /// <summary>How many rows were begun.</summary>
    public int RowCount { get; private set; }

    /// <summary>Empties it for the next batch.</summary>
    public void Reset()
    {
        length = 0;
        RowCount = 0;
        Header.CopyTo(Reserve(Header.Length));
    }

    /// <summary>Begins a row of so many columns.</summary>
    public void Row(short columns)
    {
        RowCount++;
        BinaryPrimitives.WriteInt16BigEndian(Reserve(2), columns);
    }

    public void Int32(int value)
    {
        var space = Reserve(8);
        BinaryPrimitives.WriteInt32BigEndian(space, 4);
        BinaryPrimitives.WriteInt32BigEndian(space[4..], value);
    }

    public void Int64(long value)
    {
        var space = Reserve(12);
        BinaryPrimitives.WriteInt32BigEndian(space, 8);
        BinaryPrimitives.WriteInt64BigEndian(space[4..], value);
    }

    public void Float8(double value)
    {
        var space = Reserve(12);
        BinaryPrimitives.WriteInt32BigEndian(space, 8);
        BinaryPrimitives.WriteDoubleBigEndian(space[4..], value);
    }

    /// <summary>timestamptz: microseconds since 2000.</summary>
    /// <param name="utcTicks">Of <see cref="DateTime.Ticks"/>, UTC.</param>
    public void Timestamp(long utcTicks) => Int64((utcTicks - PostgresEpoch) / TimeSpan.TicksPerMicrosecond);

    /// <summary>bytea, json or text in UTF-8: the bytes as they are.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        var space = Reserve(4 + value.Length);
        BinaryPrimitives.WriteInt32BigEndian(space, value.Length);
        value.CopyTo(space[4..]);
    }

    public void Null() => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), -1);

    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        var space = Reserve(4 + count);
        BinaryPrimitives.WriteInt32BigEndian(space, count);
        Encoding.UTF8.GetBytes(value, space[4..]);
    }

    /// <summary>Ends the rows; what is to be sent.</summary>
    public ReadOnlyMemory<byte> Complete()
    {
        BinaryPrimitives.WriteInt16BigEndian(Reserve(2), -1);
        return bytes.AsMemory(0, length);
    }

    private Span<byte> Reserve(int count)
    {
        if (length + count > bytes.Length)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, length + count));
        var space = bytes.AsSpan(length, count);
        length += count;
        return space;
    }
}
