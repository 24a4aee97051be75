namespace FactoryStream.Tests.Fuzz;

/// <summary>Where a member stands in a text.</summary>
internal readonly record struct JsonMember(int NameStart, int NameLength, int ValueStart, int End);

/// <summary>Finds the members of JSON that may be broken.</summary>
internal static class JsonMembers
{
    /// <summary>The members of all objects, as far as it looks like JSON.</summary>
    public static IEnumerable<JsonMember> Of(string text)
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

    /// <summary>Strings, marks, and what stands between them.</summary>
    public static List<(int Start, int Length)> Tokens(string text)
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
