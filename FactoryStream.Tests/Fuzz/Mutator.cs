using System.Text;

namespace FactoryStream.Tests.Fuzz;

/// <summary>
/// Makes envelopes that are odd, and says nothing of which way: one to three edits, which know JSON, base64, times and line framing, of
/// one of the vectors. The same seed gives the same mutants. Not thread-safe.
/// </summary>
internal sealed class Mutator
{
    private static readonly Encoding Latin1 = Encoding.Latin1;

    private readonly Random random;
    private readonly MutatedValues values;

    public Mutator(int seed)
    {
        random = new Random(seed);
        values = new MutatedValues(random);
    }

    /// <summary>The next mutant.</summary>
    public byte[] Next()
    {
        var text = Latin1.GetString(Vectors.Envelopes[random.Next(Vectors.Envelopes.Count)]);
        for (var edits = 1 + random.Next(3); edits > 0; edits--)
            text = Edit(text);
        // What comes first or last in a line is an edit of the framing, and seldom, or every other would hide behind it.
        return Latin1.GetBytes(random.Next(12) == 0 ? Reframe(text) : text);
    }

    private string Edit(string text) =>
        random.Next(15) switch
        {
            0 => EditBytes(text),
            1 => EditString(text, content => values.Pick(OddValues.Texts)),
            2 => EditString(text, Insert),
            3 => EditString(text, values.Escape),
            4 => EditValue(text, _ => values.Pick(OddValues.Values)),
            5 => EditValue(text, _ => values.Number()),
            6 => EditValue(text, values.Nest),
            7 => EditMember(text, (name, value) => Repeat(name, value)),
            8 => EditMember(
                text,
                (_, _) => random.Next(2) == 0 ? "" : $"\"{values.Pick(OddValues.Texts)}\":{values.Pick(OddValues.Values)}"
            ),
            9 or 10 => EditNamed(
                text,
                "timestamp",
                _ => random.Next(3) == 0 ? values.Number() : $"\"{(random.Next(2) == 0 ? values.Pick(OddValues.Times) : values.Time())}\""
            ),
            11 => EditNamed(text, "signature", values.Base64),
            12 => EditNamed(
                text,
                random.Next(3) switch
                {
                    0 => "factory_id",
                    1 => "engine_id",
                    _ => "key_id",
                },
                _ => random.Next(4) == 0 ? values.Pick(OddValues.Values) : $"\"{values.Pick(OddValues.Texts)}\""
            ),
            13 => random.Next(6) == 0 ? AddMany(text) : AddMember(text),
            _ => Batch(text),
        };

    private string EditBytes(string text)
    {
        if (text.Length == 0)
            return "{";
        var at = random.Next(text.Length);
        const string telling = "{}[]:,\"\\ 0-.eE\t\n\r\0\x7f\x80\xff+/=NIu";
        return random.Next(7) switch
        {
            0 => text[..at] + (char)random.Next(256) + text[(at + 1)..],
            1 => text[..at] + telling[random.Next(telling.Length)] + text[(at + 1)..],
            2 => text[..at] + telling[random.Next(telling.Length)] + text[at..],
            3 => text.Remove(at, random.Next(1, Math.Min(20, text.Length - at) + 1)),
            4 => text[..at],
            5 => text.Insert(at, text.Substring(random.Next(text.Length)) is var tail ? tail[..Math.Min(tail.Length, 60)] : ""),
            _ => text[..at] + Latin1.GetString(Vectors.Envelopes[random.Next(Vectors.Envelopes.Count)]) is var spliced
                ? spliced[..Math.Min(spliced.Length, 8_000)]
                : text,
        };
    }

    private string EditString(string text, Func<string, string> edit)
    {
        var strings = JsonMembers.Tokens(text).Where(token => text[token.Start] == '"').ToArray();
        if (strings.Length == 0)
            return text;
        var (start, length) = strings[random.Next(strings.Length)];
        return $"{text[..(start + 1)]}{edit(length > 1 ? text.Substring(start + 1, length - 2) : "")}\"{text[(start + length)..]}";
    }

    private string Insert(string content)
    {
        var at = random.Next(content.Length + 1);
        return content.Insert(at, values.Pick(OddValues.Texts));
    }

    private string EditValue(string text, Func<string, string> edit) =>
        EditAny(text, JsonMembers.Of(text).ToArray(), (_, value) => edit(value), isOfValue: true);

    private string EditMember(string text, Func<string, string, string> edit) =>
        EditAny(text, JsonMembers.Of(text).ToArray(), edit, isOfValue: false);

    private string EditNamed(string text, string name, Func<string, string> edit)
    {
        var named = JsonMembers
            .Of(text)
            .Where(member => text.AsSpan(member.NameStart, member.NameLength).SequenceEqual($"\"{name}\""))
            .ToArray();
        return named.Length == 0
            ? AddMember(text, $"\"{name}\":{edit("\"QUJD\"")}")
            : EditAny(text, named, (_, value) => edit(value), isOfValue: true);
    }

    private string EditAny(string text, JsonMember[] members, Func<string, string, string> edit, bool isOfValue)
    {
        if (members.Length == 0)
            return text;
        var member = members[random.Next(members.Length)];
        var edited = edit(text.Substring(member.NameStart, member.NameLength), text[member.ValueStart..member.End]);
        return $"{text[..(isOfValue ? member.ValueStart : member.NameStart)]}{edited}{text[member.End..]}";
    }

    private string Repeat(string name, string value)
    {
        var again = random.Next(3) == 0 && name.Length > 2 ? $"\"{values.Escape(name[1..^1])}\"" : name;
        return $"{name}:{value},{again}:{(random.Next(2) == 0 ? value : values.Pick(OddValues.Values))}";
    }

    private string AddMember(string text)
    {
        var name = random.Next(3) == 0 ? values.Pick(OddValues.Texts) : $"m{random.Next(9)}";
        var value = random.Next(4) switch
        {
            0 => values.Pick(OddValues.Values),
            1 => $"\"{values.Pick(OddValues.Texts)}\"",
            _ => values.Number(),
        };
        return AddMember(text, $"\"{name}\":{value}");
    }

    /// <summary>Behind the opening of the envelope or of something in it.</summary>
    private string AddMember(string text, string member)
    {
        var openings = Enumerable.Range(0, text.Length).Where(i => text[i] == '{').ToArray();
        return openings.Length == 0
            ? text + member
            : text.Insert(openings[random.Next(openings.Length)] + 1, random.Next(30) == 0 ? member : $"{member},");
    }

    private string AddMany(string text)
    {
        var count = random.Next(240, 262);
        var others = random.Next(3);
        return AddMember(
            text,
            string.Join(
                ',',
                Enumerable
                    .Range(0, count)
                    .Select(i => $"\"x{i}\":{(others switch { 0 => "1", 1 => "null", _ => i % 2 == 0 ? "1.5" : "\"t\"" })}")
            )
        );
    }

    private string Batch(string text)
    {
        var datas = JsonMembers
            .Of(text)
            .Where(member => text.AsSpan(member.NameStart, member.NameLength).SequenceEqual("\"data\""))
            .ToArray();
        if (datas.Length == 0)
            return text;
        var data = datas[random.Next(datas.Length)];
        var value = text[data.ValueStart..data.End];
        var count = random.Next(40) switch
        {
            0 => 0,
            1 => 1_000,
            2 => 1_001,
            var any => 1 + any % 5,
        };
        // A thousand of the usual ones would be a line too long for the wire: of few bytes they are a batch too many.
        if (count > 100)
            value = """{"factory_id":"f","engine_id":"e","timestamp":0}""";
        var readings = Enumerable
            .Range(0, count)
            .Select(i =>
                random.Next(count > 100 ? 100_000 : 12) switch
                {
                    0 => Edit(value),
                    1 => value.Replace("engine_0", $"engine_{i}", StringComparison.Ordinal),
                    2 => values.Pick(OddValues.Values),
                    3 => value.Replace("factory_001", "factory_002", StringComparison.Ordinal),
                    _ => value,
                }
            );
        var array = $"[{string.Join(random.Next(4) == 0 ? ", " : ",", readings)}{(random.Next(40) == 0 ? "," : "")}]";
        var batch = $"\"batch\":{array}";
        return text[..data.NameStart] + (random.Next(20) == 0 ? $"{text[data.NameStart..data.End]},{batch}" : batch) + text[data.End..];
    }

    private string Reframe(string text) =>
        random.Next(14) switch
        {
            0 => $"\xef\xbb\xbf{text}",
            1 => $"{text}\r",
            2 => $" \t{text} \t",
            3 => $"{text}\0",
            4 => $"\0{text}",
            5 => text.Replace(",", ",\n", StringComparison.Ordinal),
            6 => text.Replace(", ", "\r,\t", StringComparison.Ordinal),
            7 => $"{text}{text}",
            8 => $"{text}\n\n\r\n{text}",
            9 => $"data: {text}",
            10 => $": {text}",
            11 => $"{text},",
            12 => $"[{text}]",
            _ => random.Next(6) == 0 ? new string(' ', random.Next(70_000)) + text : $"\x1e{text}",
        };
}
