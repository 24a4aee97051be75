namespace FactoryStream.Signatures.Backends;

/// <summary>
/// The keys that have a backend's constants, a bounded number of them. The constants hang on their key, where a check finds them without a
/// search; here is only who has some. When all places are taken a new key gets that of the oldest one, but only once in so many checks:
/// with more keys in use than places, OpenSSL checks the rest sooner than constants could be made for each.
/// </summary>
internal sealed class PreparedKeys<T>(int capacity, PreparedKeys<T>.Constants constants, Func<RsaPublicKey, T[]> make)
    where T : unmanaged
{
    /// <summary>Making constants takes as long as twenty checks.</summary>
    private const int ChecksPerEviction = 256;

    private readonly Lock _adding = new();
    private readonly Allowance _evictions = new(burst: 1, ChecksPerEviction);

    // Weak: a key that nobody asks about any more takes its constants along.
    private readonly WeakReference<RsaPublicKey>?[] _places = new WeakReference<RsaPublicKey>?[capacity];
    private int _next;

    /// <summary>Where a key has its constants.</summary>
    public delegate ref T[]? Constants(RsaPublicKey key);

    /// <summary>Keys that have constants now.</summary>
    public int Count
    {
        get
        {
            lock (_adding)
                return _places.Count(place => place is not null && place.TryGetTarget(out var key) && constants(key) is not null);
        }
    }

    public void Checked(int count) => _evictions.Earn(count);

    /// <summary>Whether the key has constants, which it may have got just now.</summary>
    public bool TryPrepare(RsaPublicKey key) => Volatile.Read(ref constants(key)) is not null || TryAdd(key);

    /// <summary>
    /// The key's constants; new ones for this once when it has just lost its own. Who uses them keeps hold of them, for another thread may
    /// take them off the key.
    /// </summary>
    public T[] Of(RsaPublicKey key) => Volatile.Read(ref constants(key)) ?? make(key);

    private bool TryAdd(RsaPublicKey key)
    {
        lock (_adding)
        {
            if (constants(key) is not null)
                return true;
            if (_places[_next] is { } place && place.TryGetTarget(out var oldest) && constants(oldest) is not null)
            {
                if (!_evictions.TrySpend())
                    return false;
                Volatile.Write(ref constants(oldest), null);
            }

            _places[_next] = new WeakReference<RsaPublicKey>(key);
            _next = (_next + 1) % capacity;
            Volatile.Write(ref constants(key), make(key));
            return true;
        }
    }
}
