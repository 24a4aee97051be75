using System.Buffers;

namespace FactoryStream.Ingest.Http;

/// <summary>
/// Cuts an <c>application/json</c> body that comes in pieces into envelopes, as what it is: one envelope, which may be pretty-printed; an
/// array of them; or, as many clients label it, one a line.
/// <list type="bullet">
/// <item>It begins with <c>[</c>: an array. Each element goes as soon as it is whole, whatever becomes of the array.</item>
/// <item>An object ends with its line and another line follows: lines; or, where that object has line breaks, one pretty-printed envelope
/// after the other.</item>
/// <item>Otherwise it is one envelope; unless that one is broken or too long, and one of its lines is an envelope: then it was lines, of
/// which the first is broken.</item>
/// </list>
/// Memory is bounded by the longest envelope allowed. A line's number is the element's, from 1.
/// </summary>
/// <param name="maxLineBytes">The longest envelope.</param>
/// <param name="isEnvelope">Whether bytes are a well-formed envelope.</param>
internal sealed class EnvelopeSplitter(int maxLineBytes, Func<ReadOnlyMemory<byte>, bool> isEnvelope)
{
    private static readonly byte[] WhiteSpace = " \t\r\n"u8.ToArray();

    private readonly LineSplitter lines = new(maxLineBytes);
    private readonly ArrayBufferWriter<byte> held = new();
    private Form form;
    private Nesting nesting;
    private int nested;
    private bool endsWithLine;
    private ReadOnlyMemory<byte> replay;
    private int elements;
    private bool hasElement;
    private bool isTooLong;

    private enum Form
    {
        Unknown,
        Envelope,
        Array,
        Lines,
        Ended,
    }

    /// <summary>The body is one envelope that is longer than allowed, and is read no further.</summary>
    public bool IsTooLong => form == Form.Ended && isTooLong;

    /// <summary>Takes the next envelope off a piece; false when the piece is used up.</summary>
    public bool TryRead(ref ReadOnlyMemory<byte> piece, out Line line)
    {
        line = default;
        if (form == Form.Unknown)
            Begin(ref piece);
        if (form == Form.Envelope)
        {
            Hold(ref piece);
            // What was too long for an envelope is told at once: nobody need send the rest.
            if (form == Form.Ended)
                return TryEnvelope(out line);
        }
        return form switch
        {
            Form.Array => TryElement(ref replay, out line) || TryElement(ref piece, out line),
            Form.Lines => lines.TryRead(ref replay, out line) || lines.TryRead(ref piece, out line),
            _ => false,
        };
    }

    /// <summary>What is left at the body's end: ask until it is false.</summary>
    public bool TryFinish(out Line line)
    {
        line = default;
        if (form == Form.Envelope)
        {
            form = Form.Ended;
            if (!held.WrittenSpan.Contains((byte)'\n') || isEnvelope(held.WrittenMemory) || !HoldsEnvelopes())
                return TryEnvelope(out line);
            TakeAs(Form.Lines);
        }
        if (form == Form.Lines)
            return lines.TryRead(ref replay, out line) || lines.TryFinish(out line);
        if (form != Form.Array || !hasElement)
            return false;
        // The array was cut off inside an element.
        line = Element();
        return true;
    }

    /// <summary>Ready for another body.</summary>
    public void Reset()
    {
        lines.Reset();
        form = Form.Unknown;
        elements = 0;
        replay = default;
        Forget();
    }

    private void Forget()
    {
        held.ResetWrittenCount();
        nesting = default;
        nested = 0;
        endsWithLine = false;
        hasElement = false;
        isTooLong = false;
    }

    private void Begin(ref ReadOnlyMemory<byte> piece)
    {
        // A byte order mark may come in pieces, too.
        while (!piece.IsEmpty && form == Form.Unknown)
        {
            var next = piece.Span[0];
            if (held.WrittenCount < 3 && next == "\uFEFF"u8[held.WrittenCount])
                held.Write(piece.Span[..1]);
            else if (held.WrittenCount is 1 or 2 || !WhiteSpace.Contains(next))
                form = next == '[' && held.WrittenCount is 0 or 3 ? Form.Array : Form.Envelope;
            if (form != Form.Envelope)
                piece = piece[1..];
        }
        if (form != Form.Unknown && held.WrittenCount is 0 or 3)
            Forget();
    }

    /// <summary>Keeps what may be one envelope, until it is known to be something else.</summary>
    private void Hold(ref ReadOnlyMemory<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            if (endsWithLine && !IsBlank(piece.Span))
            {
                TakeAs(LineSplitter.Trim(held.WrittenMemory).Span.Contains((byte)'\n') ? Form.Array : Form.Lines);
                return;
            }
            var end = piece.Span.IndexOf((byte)'\n');
            var part = piece.Span[..(end < 0 ? piece.Length : end + 1)];
            part = part[..Math.Min(part.Length, maxLineBytes + 1 - held.WrittenCount)];
            held.Write(part);
            piece = piece[part.Length..];
            if (held.WrittenCount > maxLineBytes)
            {
                isTooLong = !HoldsEnvelopes();
                if (isTooLong)
                    form = Form.Ended;
                else
                    TakeAs(Form.Lines);
                return;
            }
            if (end < 0)
                return;
            // Most bodies are one line: only where there is more than one does it matter where objects end.
            foreach (var next in held.WrittenSpan[nested..])
                nesting.Take(next);
            nested = held.WrittenCount;
            endsWithLine = nesting.IsWhole;
        }
    }

    private static bool IsBlank(ReadOnlySpan<byte> rest) => rest.IndexOfAnyExcept(WhiteSpace) < 0;

    private bool HoldsEnvelopes()
    {
        var rest = held.WrittenMemory;
        while (rest.Span.IndexOf((byte)'\n') is var end and >= 0)
        {
            if (isEnvelope(rest[..end]))
                return true;
            rest = rest[(end + 1)..];
        }
        return held.WrittenMemory.Length > rest.Length && isEnvelope(rest);
    }

    private void TakeAs(Form known)
    {
        form = known;
        replay = held.WrittenSpan.ToArray();
        Forget();
    }

    private bool TryEnvelope(out Line line)
    {
        var bytes = LineSplitter.Trim(held.WrittenMemory);
        line = new Line(isTooLong ? LineSplitter.Trim(bytes[..Math.Min(bytes.Length, LineSplitter.KeptOfTooLong)]) : bytes, 1, isTooLong);
        return !bytes.IsEmpty;
    }

    private bool TryElement(ref ReadOnlyMemory<byte> piece, out Line line)
    {
        line = default;
        var span = piece.Span;
        for (var i = 0; i < span.Length; i++)
        {
            var next = span[i];
            if (!hasElement)
            {
                if (next is (byte)',' or (byte)']' || WhiteSpace.Contains(next))
                    continue;
                Forget();
                hasElement = true;
                elements++;
            }
            // A number or a word ends where the next element or the array does.
            var isEnd = nesting.IsOutside && (next is (byte)',' or (byte)']');
            if (!isEnd)
            {
                nesting.Take(next);
                Keep(next);
                isEnd = nesting.IsWhole;
            }
            if (!isEnd)
                continue;
            piece = piece[(i + 1)..];
            line = Element();
            return true;
        }
        piece = default;
        return false;
    }

    private void Keep(byte next)
    {
        if (held.WrittenCount >= maxLineBytes)
            isTooLong = true;
        else
            held.Write([next]);
    }

    private Line Element()
    {
        hasElement = false;
        var bytes = held.WrittenMemory;
        return new Line(
            LineSplitter.Trim(isTooLong ? bytes[..Math.Min(bytes.Length, LineSplitter.KeptOfTooLong)] : bytes),
            elements,
            isTooLong
        );
    }

    /// <summary>How deep in objects, arrays and strings the bytes so far have led.</summary>
    private struct Nesting
    {
        private int depth;
        private bool isInString;
        private bool isEscaped;
        private bool hasObject;

        /// <summary>An object has been opened, and all is closed again.</summary>
        public readonly bool IsWhole => hasObject && depth == 0 && !isInString;

        /// <summary>Neither in an object or array nor in a string.</summary>
        public readonly bool IsOutside => depth == 0 && !isInString;

        public void Take(byte next)
        {
            if (isInString)
            {
                if (isEscaped)
                    isEscaped = false;
                else if (next == '\\')
                    isEscaped = true;
                else if (next == '"')
                    isInString = false;
                return;
            }
            switch (next)
            {
                case (byte)'"':
                    isInString = true;
                    break;
                case (byte)'{' or (byte)'[':
                    hasObject = true;
                    depth++;
                    break;
                case (byte)'}' or (byte)']' when depth > 0:
                    depth--;
                    break;
            }
        }
    }
}
