namespace FactoryStream.Verifier.Keys;

/// <summary>All keys at one moment. Immutable: readers take the reference once and see one truth.</summary>
internal sealed class KeySnapshot
{
    private readonly Dictionary<string, FactoryKeys> factories;

    public KeySnapshot(IEnumerable<SigningKey> keys)
    {
        factories = keys.GroupBy(key => key.FactoryId).ToDictionary(group => group.Key, group => new FactoryKeys([.. group]));
        Count = factories.Values.Sum(factory => factory.Keys.Count);
    }

    public static KeySnapshot Empty { get; } = new([]);

    public int Count { get; }

    /// <summary>All that have a key, whatever became of it.</summary>
    public IReadOnlyCollection<string> Factories => factories.Keys;

    public FactoryKeys? Of(string factoryId) => factories.GetValueOrDefault(factoryId);

    public SigningKey? Find(string factoryId, string keyId) => Of(factoryId)?.Find(keyId);
}

/// <summary>One factory's keys, newest first.</summary>
internal sealed class FactoryKeys(SigningKey[] keys)
{
    private readonly SigningKey[] keys =
    [
        .. keys.OrderByDescending(key => key.EnrolledAt).ThenBy(key => key.KeyId, StringComparer.Ordinal),
    ];

    // While a factory rotates, its machines still sign with the older key for a while. A wrong guess costs a check, never a verdict.
    private volatile int likeliest;

    public IReadOnlyList<SigningKey> Keys => keys;

    public SigningKey? Find(string keyId)
    {
        foreach (var key in keys)
        {
            if (key.KeyId == keyId)
                return key;
        }
        return null;
    }

    /// <summary>Where to begin trying.</summary>
    public int Likeliest => likeliest;

    /// <summary>
    /// The key to try as number <paramref name="attempt"/> after beginning at <paramref name="first"/>: that one, then all others from the
    /// newest on; null when all were tried.
    /// </summary>
    public SigningKey? Candidate(int first, int attempt)
    {
        if (attempt == 0)
            return keys[first];
        var index = attempt <= first ? attempt - 1 : attempt;
        return index < keys.Length ? keys[index] : null;
    }

    public void Verified(SigningKey key)
    {
        if (!ReferenceEquals(keys[likeliest], key))
            likeliest = Array.IndexOf(keys, key);
    }
}
