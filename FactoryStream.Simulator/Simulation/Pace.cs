namespace FactoryStream.Simulator.Simulation;

/// <summary>Whether and how often the factories measure; set by the endpoints, followed by every factory.</summary>
internal sealed class Pace(double rate = 1)
{
    private volatile bool isPaused;
    private double rate = rate;

    public bool IsPaused
    {
        get => isPaused;
        set => isPaused = value;
    }

    /// <summary>Readings of each engine a second.</summary>
    public double Rate => Volatile.Read(ref rate);

    /// <summary>From one reading of an engine to its next.</summary>
    public TimeSpan Interval => TimeSpan.FromSeconds(1 / Rate);

    /// <summary>The rate is another one now.</summary>
    public event Action? Changed;

    public void ChangeRate(double readingsPerSecond)
    {
        Volatile.Write(ref rate, readingsPerSecond);
        Changed?.Invoke();
    }
}
