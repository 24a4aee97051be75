using System.Buffers.Text;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace FactoryStream.Simulator.Sending;

/// <summary>
/// One kept-alive HTTP/1.1 connection to Ingest, one POST at a time: a load shall measure Ingest and not its own sender. Lines go from
/// where they are to the socket without a copy. Whatever is odd about a response closes the connection; the next POST opens a new one.
/// </summary>
internal sealed class HttpConnection : IReadingsPoster, IDisposable
{
    // Below this, one write of head and lines together costs less than two; above it, the copy would.
    private const int CopyBelowBytes = 16 * 1024;
    private const int MaxResponseBytes = 1 << 20;

    private readonly Uri ingest;
    private readonly TimeProvider time;
    private readonly TimeSpan answerWithin;
    private readonly byte[] head = new byte[512 + CopyBelowBytes];
    private readonly int headLength;
    private byte[] response = new byte[16 * 1024];
    private Stream? stream;
    private CancellationTokenSource? deadline;

    public HttpConnection(Uri ingest, TimeProvider time, TimeSpan answerWithin)
    {
        this.ingest = ingest;
        this.time = time;
        this.answerWithin = answerWithin;
        var path = new Uri(ingest, "readings").PathAndQuery;
        headLength = Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {ingest.Authority}\r\nContent-Type: application/x-ndjson\r\nContent-Length: ",
            head
        );
    }

    public async ValueTask<PostAnswer> PostAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        deadline ??= new CancellationTokenSource();
        deadline.CancelAfter(answerWithin);
        PostAnswer answer;
        bool closes;
        try
        {
            // Ends before the deadline may be disposed of: whoever cancels later cancels nothing that is gone.
            using var cancelled = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
            stream ??= await ConnectAsync(deadline.Token);
            await WriteAsync(stream, lines, deadline.Token);
            (answer, closes) = await ReadAsync(stream, deadline.Token);
        }
        catch (Exception exception)
            when (exception
                    is IOException
                        or SocketException
                        or OperationCanceledException
                        or InvalidDataException
                        or System.Security.Authentication.AuthenticationException
            )
        {
            Close();
            cancellationToken.ThrowIfCancellationRequested();
            return PostAnswer.Broken(
                exception is OperationCanceledException
                    ? $"Ingest at {ingest} has not answered within {answerWithin.TotalSeconds:0} s"
                    : $"Ingest at {ingest} does not respond: {exception.Message}"
            );
        }
        // A deadline that struck after the answer would end the next POST before it began.
        if (closes || !deadline.TryReset())
            Close();
        return answer;
    }

    public void Dispose() => Close();

    private void Close()
    {
        stream?.Dispose();
        stream = null;
        deadline?.Dispose();
        deadline = null;
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(ingest.DnsSafeHost, ingest.Port, cancellationToken);
            var plain = new NetworkStream(socket, ownsSocket: true);
            if (ingest.Scheme != Uri.UriSchemeHttps)
                return plain;
            var secure = new SslStream(plain);
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = ingest.DnsSafeHost },
                cancellationToken
            );
            return secure;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async ValueTask WriteAsync(Stream target, ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        Utf8Formatter.TryFormat(lines.Length, head.AsSpan(headLength), out var digits);
        var length = headLength + digits;
        "\r\n\r\n"u8.CopyTo(head.AsSpan(length));
        length += 4;
        var isSmall = lines.Length <= head.Length - length;
        if (isSmall)
        {
            lines.CopyTo(head.AsMemory(length));
            length += lines.Length;
        }
        await target.WriteAsync(head.AsMemory(0, length), cancellationToken);
        if (!isSmall)
            await target.WriteAsync(lines, cancellationToken);
    }

    private async ValueTask<(PostAnswer Answer, bool Closes)> ReadAsync(Stream source, CancellationToken cancellationToken)
    {
        var received = 0;
        while (true)
        {
            if (received == response.Length)
            {
                if (received >= MaxResponseBytes)
                    throw new InvalidDataException("the response is too long");
                Array.Resize(ref response, received * 2);
            }
            var count = await source.ReadAsync(response.AsMemory(received), cancellationToken);
            if (count == 0)
                throw new IOException("the connection was closed");
            received += count;
            if (!HttpResponse.TryParse(response.AsSpan(0, received), out var parsed))
                continue;
            return (PostAnswer.From(parsed.Status, parsed.RetryAfter, parsed.Body, time.GetUtcNow()), parsed.Closes);
        }
    }
}

/// <summary>A whole HTTP/1.1 response, taken out of the bytes received so far.</summary>
internal ref struct HttpResponse
{
    public int Status { get; private set; }

    public string? RetryAfter { get; private set; }

    /// <summary>The server closes the connection after it.</summary>
    public bool Closes { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <returns>False: more bytes are needed.</returns>
    /// <exception cref="InvalidDataException">It is no HTTP/1.1 response, or has no stated end.</exception>
    public static bool TryParse(ReadOnlySpan<byte> received, out HttpResponse response)
    {
        response = default;
        var headEnd = received.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
            return false;
        var head = received[..headEnd];
        var rest = received[(headEnd + 4)..];
        if (
            !head.StartsWith("HTTP/1."u8)
            || head.Length < 12
            || !Utf8Parser.TryParse(head.Slice(9, 3), out int status, out var digits)
            || digits != 3
        )
            throw new InvalidDataException("that is no HTTP response");
        if (status is >= 100 and < 200)
            return TryParse(rest, out response);

        response.Status = status;
        response.Closes = head[7] == '0';
        long? length = status == 204 ? 0 : null;
        var isChunked = false;
        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            var colon = line.IndexOf((byte)':');
            if (colon < 0)
                continue;
            var name = line[..colon];
            var value = line[(colon + 1)..].Trim((byte)' ');
            if (Ascii.EqualsIgnoreCase(name, "Content-Length"u8))
                length =
                    Utf8Parser.TryParse(value, out long parsed, out var used) && used == value.Length && parsed >= 0
                        ? parsed
                        : throw new InvalidDataException("its length is none");
            else if (Ascii.EqualsIgnoreCase(name, "Transfer-Encoding"u8))
                isChunked = Ascii.EqualsIgnoreCase(value, "chunked"u8);
            else if (Ascii.EqualsIgnoreCase(name, "Connection"u8))
                response.Closes |= HasToken(value, "close"u8);
            else if (Ascii.EqualsIgnoreCase(name, "Retry-After"u8))
                response.RetryAfter = Encoding.ASCII.GetString(value);
        }

        if (isChunked)
            return TryJoinChunks(rest, ref response);
        if (length is null)
            throw new InvalidDataException("its length is not stated");
        if (rest.Length < length)
            return false;
        response.Body = rest[..(int)length.Value];
        return true;
    }

    /// <summary>Whether a list such as <c>keep-alive, close</c> names it.</summary>
    private static bool HasToken(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
    {
        foreach (var range in list.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(list[range].Trim(" \t"u8), token))
                return true;
        }
        return false;
    }

    private static bool TryJoinChunks(ReadOnlySpan<byte> rest, ref HttpResponse response)
    {
        var body = new MemoryStream();
        while (true)
        {
            var lineEnd = rest.IndexOf("\r\n"u8);
            if (lineEnd < 0)
                return false;
            var size = rest[..lineEnd];
            if (size.IndexOf((byte)';') is >= 0 and var extension)
                size = size[..extension];
            if (!int.TryParse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var length) || length < 0)
                throw new InvalidDataException("a chunk's length is none");
            rest = rest[(lineEnd + 2)..];
            if (rest.Length < length + 2L)
                return false;
            if (length == 0)
            {
                // Behind the last chunk only an empty line: no trailers were asked for.
                if (!rest.StartsWith("\r\n"u8))
                    throw new InvalidDataException("something follows the last chunk");
                response.Body = body.ToArray();
                return true;
            }
            body.Write(rest[..length]);
            rest = rest[(length + 2)..];
        }
    }
}
