namespace FactoryStream.Simulator.Simulation;

/// <summary>Whether the factories measure; turned by the endpoints, read by every factory.</summary>
internal sealed class Switch
{
    private volatile bool isOff;

    public bool IsOn => !isOff;

    public void Turn(bool on) => isOff = !on;
}
