namespace FactoryStream.Storage;

/// <summary>
/// A minute of which a closed window was corrected, so that it is to be rolled up again. A minute may have several: a key of engine and
/// minute would make a commit wait for the roll-up that is working the first one off.
/// </summary>
public sealed class StaleMinuteRow
{
    /// <summary>The row's own number.</summary>
    public long StaleNo { get; set; }

    /// <summary>The engine's number, <see cref="EngineRow.EngineNo"/>.</summary>
    public int EngineNo { get; set; }

    /// <summary>The first moment of the minute, UTC.</summary>
    public DateTime WindowStart { get; set; }
}
