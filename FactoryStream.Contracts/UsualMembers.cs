using System.Text.Json;

namespace FactoryStream.Contracts;

/// <summary>What a member of a reading is.</summary>
internal enum MemberKind : byte
{
    /// <summary>Any but the others.</summary>
    Metric,

    /// <summary><c>factory_id</c>.</summary>
    FactoryId,

    /// <summary><c>engine_id</c>.</summary>
    EngineId,

    /// <summary><c>timestamp</c>.</summary>
    Timestamp,
}

/// <summary>
/// The members of a reading that was well formed, in its order: whoever follows it names the same ones, and comparing a few bytes tells so. It saves the look-up
/// of each name and the search for doubles, about a third of a reading's parsing.
/// </summary>
internal sealed class UsualMembers
{
    // Where machines of several kinds take turns, learning each one's anew would cost more than it saves.
    private const int ReadingsBetweenLessons = 64;

    private Member[] members = [];
    private int unusual;

    /// <summary>Whether the name that the reader stands at is the one of a place.</summary>
    public bool TryMatch(int place, ref Utf8JsonReader json, out Member member)
    {
        if ((uint)place < (uint)members.Length && !json.ValueIsEscaped)
        {
            member = members[place];
            return json.ValueSpan.SequenceEqual(member.Utf8);
        }
        member = default;
        return false;
    }

    /// <summary>Takes a well-formed reading for the usual one, now and then.</summary>
    public void Learn(ReadOnlySpan<byte> data, Utf8StringPool names)
    {
        if (unusual++ % ReadingsBetweenLessons != 0)
            return;
        var found = new List<Member>();
        var json = new Utf8JsonReader(data);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueIsEscaped)
                return;
            var kind = KindOf(ref json);
            found.Add(new Member(json.ValueSpan.ToArray(), kind, kind == MemberKind.Metric ? names.Get(json.ValueSpan) : ""));
            json.Skip();
        }
        members = [.. found];
    }

    /// <summary>What the member is whose name the reader stands at.</summary>
    public static MemberKind KindOf(ref Utf8JsonReader json) =>
        json.ValueTextEquals("factory_id"u8) ? MemberKind.FactoryId
        : json.ValueTextEquals("engine_id"u8) ? MemberKind.EngineId
        : json.ValueTextEquals("timestamp"u8) ? MemberKind.Timestamp
        : MemberKind.Metric;

    /// <summary>A member by its name's exact bytes.</summary>
    internal readonly record struct Member(byte[] Utf8, MemberKind Kind, string Name);
}
