namespace FactoryStream.Contracts;

/// <summary>
/// The names of one reading's members, each of which may be there once. Few are compared with each other; many are hashed, so that a
/// member's cost does not grow with their number.
/// </summary>
internal sealed class MemberNames
{
    private const int FewNames = 16;

    private readonly List<string> few = new(FewNames);
    private readonly HashSet<string> many = [];

    /// <summary>Forgets the names, for the next reading.</summary>
    public void Clear()
    {
        few.Clear();
        if (many.Count > 0)
            many.Clear();
    }

    /// <summary>Adds a name; false when the reading has it already.</summary>
    public bool TryAdd(string name)
    {
        if (many.Count > 0)
            return many.Add(name);
        if (few.Contains(name))
            return false;
        if (few.Count < FewNames)
        {
            few.Add(name);
            return true;
        }
        many.UnionWith(few);
        return many.Add(name);
    }
}
