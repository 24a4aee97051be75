namespace FactoryStream.Aggregator.Windowing;

/// <summary>
/// Distinct names in the order in which they came, each found at a cost that does not grow with their number: who sends them chooses how
/// many there are.
/// </summary>
internal sealed class NameIndex
{
    // Up to here looking at each is quicker than hashing, and an engine costs no more memory than its names.
    private const int Few = 16;

    private readonly List<string> names = [];
    private Dictionary<string, int>? places;

    public int Count => names.Count;

    /// <summary>Where a name is, or -1.</summary>
    /// <param name="name">The name.</param>
    /// <param name="likely">Where it should be: a machine names its metrics in the same order every time.</param>
    public int IndexOf(string name, int likely)
    {
        if (likely < names.Count && names[likely] == name)
            return likely;
        return places is null ? names.IndexOf(name) : places.GetValueOrDefault(name, -1);
    }

    /// <summary>Adds a name that is not there, at the place <see cref="Count"/>.</summary>
    public void Add(string name)
    {
        names.Add(name);
        if (places is not null)
        {
            places.Add(name, names.Count - 1);
        }
        else if (names.Count > Few)
        {
            places = [];
            for (var i = 0; i < names.Count; i++)
                places.Add(names[i], i);
        }
    }
}
