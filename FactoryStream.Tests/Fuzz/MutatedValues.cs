using System.Globalization;

namespace FactoryStream.Tests.Fuzz;

/// <summary>Odd values: made up, or made of a value that was right. What comes depends on the random numbers alone.</summary>
internal sealed class MutatedValues(Random random)
{
    public string Pick(string[] from) => from[random.Next(from.Length)];

    /// <summary>The same text for a reader of JSON, in other bytes; mostly.</summary>
    public string Escape(string content)
    {
        if (content.Length == 0)
            return content;
        var at = random.Next(content.Length);
        return content[..at] + string.Create(CultureInfo.InvariantCulture, $"\\u{(int)content[at]:x4}") + content[(at + 1)..];
    }

    public string Nest(string value)
    {
        var depth = random.Next(1, 10);
        var isArray = random.Next(2) == 0;
        var opening = string.Concat(Enumerable.Repeat(isArray ? "[" : "{\"n\":", depth));
        return opening + value + new string(isArray ? ']' : '}', depth - (random.Next(20) == 0 ? 1 : 0));
    }

    public string Base64(string value)
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
            _ => Pick(OddValues.Texts),
        }}\"";
    }

    public string Number()
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

    public string Time()
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
}
