namespace FactoryStream.Dashboard.Live;

/// <summary>A state of all engines: immutable, so that every page and socket may keep it as long as it draws.</summary>
/// <param name="Version">Goes up with every change; 0: nothing was loaded yet.</param>
/// <param name="Engines">By factory and engine.</param>
/// <param name="IsLive">False while the database is away: then the engines are as they were.</param>
internal sealed record LatestSnapshot(long Version, IReadOnlyList<EngineWindow> Engines, bool IsLive)
{
    public IReadOnlyList<LatestData> ToLatestData(string? factoryId = null) =>
        [
            .. Engines
                .Where(engine => factoryId is null || engine.FactoryId == factoryId)
                .Select(engine => new LatestData(
                    engine.FactoryId,
                    engine.EngineId,
                    engine.WindowEnd,
                    engine.Mean("temp_air"),
                    engine.Mean("temp_oil"),
                    engine.Mean("temp_exhaust"),
                    engine.Mean("vibration"),
                    engine.Mean("pressure_1"),
                    engine.Mean("pressure_2"),
                    engine.Mean("rpm")
                )),
        ];
}

/// <summary>The newest closed window of every engine, in memory: one writer, any number of readers who wait for the next change.</summary>
internal sealed class LatestWindows
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<(string FactoryId, string EngineId), EngineWindow> engines = new(
        Comparer<(string FactoryId, string EngineId)>.Create(
            static (left, right) =>
            {
                var byFactory = string.CompareOrdinal(left.FactoryId, right.FactoryId);
                return byFactory != 0 ? byFactory : string.CompareOrdinal(left.EngineId, right.EngineId);
            }
        )
    );

    private readonly Latest<LatestSnapshot> latest = new(new(0, [], IsLive: false));

    public LatestSnapshot Current => latest.Current;

    /// <summary>Takes changed engines in, or all engines there are.</summary>
    public void Update(IEnumerable<EngineWindow> windows, bool all)
    {
        lock (gate)
        {
            if (all)
                engines.Clear();
            foreach (var window in windows)
                engines[(window.FactoryId, window.EngineId)] = window;
            latest.Publish(new(Current.Version + 1, [.. engines.Values], IsLive: true));
        }
    }

    /// <summary>The database is away: what is known stays, and is marked.</summary>
    public void Age()
    {
        lock (gate)
        {
            if (Current.IsLive)
                latest.Publish(Current with { Version = Current.Version + 1, IsLive = false });
        }
    }

    /// <summary>The first state after a version; at once if there is one already.</summary>
    public Task<LatestSnapshot> NextAsync(long version, CancellationToken cancellation) =>
        latest.NextAsync(snapshot => snapshot.Version > version, cancellation);
}
