using System.Globalization;
using System.Text;

namespace FactoryStream.Tests.Fuzz;

/// <summary>
/// Makes envelopes that are odd, and says nothing of which way: one to three edits, which know JSON, base64, times and line framing, of
/// one of the vectors. The same seed gives the same mutants. Not thread-safe.
/// </summary>
internal sealed class Mutator(int seed)
{
    private static readonly Encoding Latin1 = Encoding.Latin1;

    // One character a byte, so that an edit can write any byte.
    private static readonly string[] Texts =
    [
        "",
        "a",
        @"\u0000",
        @"a\u0000b",
        @"\ud800",
        @"\udc00",
        @"\ud83d\ude00",
        @"\ude00\ud83d",
        @"\ud83dx",
        @"\ud83d\ud83d\ude00",
        @"\ud83d\n",
        @"\n",
        @"\r\n",
        @"\t",
        @"\b\f",
        @"\/",
        @"\\",
        @"\""",
        @"\u000a",
        @"\u007f",
        @"\u0085",
        @"\u009f",
        @"\u00a0",
        @"\u2028",
        @"\uFEFF",
        @"\uffff",
        @"\x41",
        @"\u12",
        @"\u12g4",
        @"\",
        "\x01",
        "\0",
        "\n",
        "\r",
        "\t",
        "\x7f",
        "\xc2\x85",
        "\xc2\xa0",
        "\xf0\x9f\x98\x80",
        "\xed\xa0\x80",
        "\xc0\x80",
        "\xc3",
        "\xff",
        "\xef\xbb\xbf",
        "\xef\xbf\xbf",
        "f\xc3\xbc",
        @"f\u00fc",
        "'; DROP TABLE factory.readings; --",
        "<script>",
        "${jndi:x}",
        "%s%n",
        "../..",
        "NaN",
        "null",
        "__proto__",
        "factory_id",
        @"factory\u005fid",
        "engine_id",
        "timestamp",
        "data",
        "batch",
        "signature",
        "key_id",
        new('a', 127),
        new('a', 128),
        new('a', 129),
        new('\xc3', 1),
        string.Concat(Enumerable.Repeat(@"\u0061", 128)),
        string.Concat(Enumerable.Repeat(@"\u0061", 129)),
        string.Concat(Enumerable.Repeat(@"\ud83d\ude00", 64)),
        string.Concat(Enumerable.Repeat(@"\ud83d\ude00", 65)),
        string.Concat(Enumerable.Repeat("\xc3\xbc", 128)),
        string.Concat(Enumerable.Repeat("\xf0\x9f\x98\x80", 64)),
    ];

    private static readonly string[] Values =
    [
        "0",
        "-0",
        "-0.0",
        "00",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e3",
        "1e",
        "1e+",
        "1E+2",
        "1e3",
        "-1.5e-3",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e309",
        "-1e309",
        "1e999",
        "1e-400",
        "4.9e-324",
        "2.4e-324",
        "0e999",
        "0e99999999999",
        "1e99999999999",
        "1e-99999999999",
        "1e2147483647",
        "1e-2147483648",
        "1e2147483648",
        "9007199254740993",
        "123456789012345",
        "1234567890123456",
        "0.1234567890123456789",
        "999999999999999999999999999999",
        "0.000000000000000000000000000001",
        "1" + new string('0', 400),
        "0." + new string('0', 400) + "1",
        new string('9', 800) + "e-780",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "+Infinity",
        "true",
        "false",
        "null",
        "nul",
        "True",
        "undefined",
        "0x10",
        "1_000",
        "1,5",
        "\"1\"",
        "[]",
        "{}",
        "[1]",
        "[1,[2]]",
        "{\"a\":1}",
        "{\"a\":{\"b\":\"c\"}}",
        "{\"a\":1,\"a\":2}",
        "{\"\\ud800\":1}",
        "{\"\\u0000\":1}",
        "[\"\\u0000\"]",
        "[\"\\udc00\"]",
        "{\"a\":[\"x\\u0000\"]}",
        "[",
        "{",
        "]",
        "}",
        "\"",
        "",
        " ",
        "//",
        "/**/1",
    ];

    private static readonly string[] Times =
    [
        "2026-02-25T06:13:20Z",
        "2026-02-25t06:13:20z",
        "2026-02-25 06:13:20",
        "2026-02-25T06:13:20,125+01",
        "20260225T061320Z",
        "20260225 061320.5-0130",
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.999999999Z",
        "2017-01-01T00:59:60+01:00",
        "2016-12-31T22:59:60Z",
        "1969-12-31T23:59:60Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
        "1969-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2024-02-29T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2026-02-25",
        "06:13:20",
        "2026-02-25T06:13Z",
        "2026-02-25T24:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-25T06:13:20.Z",
        "2026-02-25T06:13:20 Z",
        "2026-02-25T06:13:20+1",
        "2026-02-25T06:13:20+24:00",
        "2026-02-25T06:13:20-00:00",
        "2026-02-25T06:13:20+0160",
        "2026-02-25T061320Z",
        "20260225T06:13:20Z",
        "2026-W09-3T06:13:20Z",
        "2026-056T06:13:20Z",
        "+2026-02-25T06:13:20Z",
        "25.02.2026 06:13:20",
        "02/25/2026 06:13:20",
        "Wed, 25 Feb 2026 06:13:20 GMT",
        "yesterday",
        "",
        " 2026-02-25 06:13:20",
        "2026-02-25 06:13:20\\n",
        "2026\\u002d02-25 06:13:20",
        "2026-02-25\\u000006:13:20",
        "\\u0032026-02-25 06:13:20",
        "2026-02-25 06:13:20.000000000000000000000000000000000000000000000000",
        "2999-01-01 00:00:00",
        "\xd9\xa2026-02-25 06:13:20",
    ];

    private readonly Random random = new(seed);

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
            1 => EditString(text, content => Pick(Texts)),
            2 => EditString(text, Insert),
            3 => EditString(text, Escape),
            4 => EditValue(text, _ => Pick(Values)),
            5 => EditValue(text, _ => Number()),
            6 => EditValue(text, Nest),
            7 => EditMember(text, (name, value) => Repeat(name, value)),
            8 => EditMember(text, (_, _) => random.Next(2) == 0 ? "" : $"\"{Pick(Texts)}\":{Pick(Values)}"),
            9 or 10 => EditNamed(
                text,
                "timestamp",
                _ => random.Next(3) == 0 ? Number() : $"\"{(random.Next(2) == 0 ? Pick(Times) : Time())}\""
            ),
            11 => EditNamed(text, "signature", Base64),
            12 => EditNamed(
                text,
                random.Next(3) switch
                {
                    0 => "factory_id",
                    1 => "engine_id",
                    _ => "key_id",
                },
                _ => random.Next(4) == 0 ? Pick(Values) : $"\"{Pick(Texts)}\""
            ),
            13 => random.Next(6) == 0 ? AddMany(text) : AddMember(text),
            _ => Batch(text),
        };

    private string Pick(string[] from) => from[random.Next(from.Length)];

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
        var strings = Tokens(text).Where(token => text[token.Start] == '"').ToArray();
        if (strings.Length == 0)
            return text;
        var (start, length) = strings[random.Next(strings.Length)];
        return $"{text[..(start + 1)]}{edit(length > 1 ? text.Substring(start + 1, length - 2) : "")}\"{text[(start + length)..]}";
    }

    private string Insert(string content)
    {
        var at = random.Next(content.Length + 1);
        return content.Insert(at, Pick(Texts));
    }

    /// <summary>The same text for a reader of JSON, in other bytes; mostly.</summary>
    private string Escape(string content)
    {
        if (content.Length == 0)
            return content;
        var at = random.Next(content.Length);
        return content[..at] + string.Create(CultureInfo.InvariantCulture, $"\\u{(int)content[at]:x4}") + content[(at + 1)..];
    }

    private string EditValue(string text, Func<string, string> edit) =>
        EditAny(text, Members(text).ToArray(), (_, value) => edit(value), isOfValue: true);

    private string EditMember(string text, Func<string, string, string> edit) =>
        EditAny(text, Members(text).ToArray(), edit, isOfValue: false);

    private string EditNamed(string text, string name, Func<string, string> edit)
    {
        var named = Members(text).Where(member => text.AsSpan(member.NameStart, member.NameLength).SequenceEqual($"\"{name}\"")).ToArray();
        return named.Length == 0
            ? AddMember(text, $"\"{name}\":{edit("\"QUJD\"")}")
            : EditAny(text, named, (_, value) => edit(value), isOfValue: true);
    }

    private string EditAny(string text, Member[] members, Func<string, string, string> edit, bool isOfValue)
    {
        if (members.Length == 0)
            return text;
        var member = members[random.Next(members.Length)];
        var edited = edit(text.Substring(member.NameStart, member.NameLength), text[member.ValueStart..member.End]);
        return $"{text[..(isOfValue ? member.ValueStart : member.NameStart)]}{edited}{text[member.End..]}";
    }

    private string Nest(string value)
    {
        var depth = random.Next(1, 10);
        var isArray = random.Next(2) == 0;
        var opening = string.Concat(Enumerable.Repeat(isArray ? "[" : "{\"n\":", depth));
        return opening + value + new string(isArray ? ']' : '}', depth - (random.Next(20) == 0 ? 1 : 0));
    }

    private string Repeat(string name, string value)
    {
        var again = random.Next(3) == 0 && name.Length > 2 ? $"\"{Escape(name[1..^1])}\"" : name;
        return $"{name}:{value},{again}:{(random.Next(2) == 0 ? value : Pick(Values))}";
    }

    private string AddMember(string text)
    {
        var name = random.Next(3) == 0 ? Pick(Texts) : $"m{random.Next(9)}";
        return AddMember(text, $"\"{name}\":{random.Next(4) switch { 0 => Pick(Values), 1 => $"\"{Pick(Texts)}\"", _ => Number() }}");
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
        var datas = Members(text).Where(member => text.AsSpan(member.NameStart, member.NameLength).SequenceEqual("\"data\"")).ToArray();
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
                    2 => Pick(Values),
                    3 => value.Replace("factory_001", "factory_002", StringComparison.Ordinal),
                    _ => value,
                }
            );
        var array = $"[{string.Join(random.Next(4) == 0 ? ", " : ",", readings)}{(random.Next(40) == 0 ? "," : "")}]";
        var batch = $"\"batch\":{array}";
        return text[..data.NameStart] + (random.Next(20) == 0 ? $"{text[data.NameStart..data.End]},{batch}" : batch) + text[data.End..];
    }

    private string Base64(string value)
    {
        var letters = value.Trim('"');
        var at = random.Next(letters.Length + 1);
        return $"\"{random.Next(14) switch
        {
            0 => letters.TrimEnd('='),
            1 => letters.Replace('+', '-').Replace('/', '_'),
            2 => letters.Replace('+', '-').TrimEnd('='),
            3 => letters.Replace("/", "\\/", StringComparison.Ordinal),
            4 => string.Join("\\n", letters.Chunk(76).Select(part => new string(part))),
            5 => letters.Insert(at, Pick(["\\r\\n", " ", "\\t", "\\u0020", "\\u000b", "\\u00a0", "\n", "*", "=", "==", "\\u0000",
                "\\ud800", "."])),
            6 => letters + Pick(["=", "==", "===", "A", "AB", "ABC", "\\n"]),
            7 => letters[..at],
            8 => Pick(["", "=", "QQ==", "QQ=", "QQ", "QR==", "QUJ=", "QUI=", "QUI", "Q", "QUJD", " ", "QQ==QQ==", "Q Q = =", "QUJD\\n"]),
            9 => Escape(letters),
            10 => letters.Length > 3 ? letters[..^3] + (char)('A' + random.Next(26)) + "==" : letters,
            11 => letters[..at] + (char)random.Next(' ', 127) + letters[Math.Min(letters.Length, at + 1)..],
            12 => string.Concat(Enumerable.Repeat("QUJD", random.Next(1, 400))),
            _ => Pick(Texts),
        }}\"";
    }

    private string Number()
    {
        var digits = string.Concat(
            Enumerable.Range(0, random.Next(1, random.Next(1, 40))).Select(_ => (char)('0' + (random.Next(4) == 0 ? 9 : random.Next(10))))
        );
        var whole =
            random.Next(8) == 0 ? digits
            : digits.TrimStart('0') is { Length: > 0 } trimmed ? trimmed
            : "0";
        var fraction =
            random.Next(2) == 0
                ? ""
                : "."
                    + string.Concat(
                        Enumerable
                            .Range(0, random.Next(1, random.Next(2, 45)))
                            .Select(_ => (char)('0' + (random.Next(3) == 0 ? 9 : random.Next(10))))
                    );
        var exponent =
            random.Next(4) != 0
                ? ""
                : $"{(random.Next(2) == 0 ? 'e' : 'E')}{Pick(["", "+", "-"])}{(random.Next(3) == 0 ? random.Next(400) : random.Next(25))}";
        return $"{(random.Next(12) == 0 ? "-" : "")}{whole}{fraction}{exponent}";
    }

    private string Time()
    {
        int Field(int usual) => random.Next(12) == 0 ? random.Next(100) : random.Next(usual);
        string[] dash = ["-", "-", "-", ""];
        var year = random.Next(8) == 0 ? random.Next(10_000) : random.Next(1968, 2030);
        var date = $"{year:D4}{Pick(dash)}{1 + Field(12):D2}{Pick(dash)}{1 + Field(31):D2}";
        var isBasic = !date.Contains('-', StringComparison.Ordinal);
        var time = $"{Field(24):D2}{(isBasic ? "" : ":")}{Field(60):D2}{(isBasic ? "" : ":")}{Field(61):D2}";
        var fraction =
            random.Next(2) == 0 ? "" : Pick([".", ","]) + string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(10)));
        var offset = random.Next(3) switch
        {
            0 => "",
            1 => Pick(["Z", "z"]),
            _ => $"{Pick(["+", "-"])}{Field(24):D2}{Pick(["", ":"])}{(random.Next(3) == 0 ? "" : $"{Field(60):D2}")}",
        };
        return $"{date}{Pick(["T", "t", " ", " ", "_"])}{time}{fraction}{offset}";
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

    private readonly record struct Member(int NameStart, int NameLength, int ValueStart, int End);

    /// <summary>The members of all objects, as far as it looks like JSON.</summary>
    private static IEnumerable<Member> Members(string text)
    {
        var tokens = Tokens(text);
        for (var i = 0; i + 2 < tokens.Count; i++)
        {
            if (text[tokens[i].Start] != '"' || text[tokens[i + 1].Start] != ':')
                continue;
            var last = i + 2;
            for (int depth = 0, j = last; j < tokens.Count; j++)
            {
                last = j;
                depth += text[tokens[j].Start] switch
                {
                    '{' or '[' => 1,
                    '}' or ']' => -1,
                    _ => 0,
                };
                if (depth <= 0)
                    break;
            }
            yield return new(tokens[i].Start, tokens[i].Length, tokens[i + 2].Start, tokens[last].Start + tokens[last].Length);
        }
    }

    private static List<(int Start, int Length)> Tokens(string text)
    {
        var tokens = new List<(int Start, int Length)>();
        var i = 0;
        while (i < text.Length)
        {
            var start = i++;
            if (text[start] is ' ' or '\t' or '\r' or '\n')
                continue;
            if (text[start] == '"')
            {
                while (i < text.Length && text[i] != '"')
                    i += text[i] == '\\' ? 2 : 1;
                i = Math.Min(i + 1, text.Length);
            }
            else if (!IsMark(text[start]))
            {
                while (i < text.Length && !IsMark(text[i]) && text[i] is not ('"' or ' ' or '\t' or '\r' or '\n'))
                    i++;
            }
            tokens.Add((start, i - start));
        }
        return tokens;
    }

    private static bool IsMark(char letter) => letter is '{' or '}' or '[' or ']' or ':' or ',';
}
