namespace FactoryStream.Storage;

/// <summary>The small integer of a factory's engine, and how far its windows are closed.</summary>
public sealed class EngineRow
{
    /// <summary>The small number that readings and windows refer to.</summary>
    public int EngineNo { get; set; }

    /// <summary>The factory's id, 1 to 128 characters.</summary>
    public required string FactoryId { get; set; }

    /// <summary>The engine's id within its factory, 1 to 128 characters.</summary>
    public required string EngineId { get; set; }

    /// <summary>Windows that end at or before this are closed; null: none is yet.</summary>
    public DateTime? ClosedUntil { get; set; }

    /// <summary>When its windows were last written, by the wall clock, UTC; null: none is yet.</summary>
    public DateTime? WindowsWrittenAt { get; set; }

    /// <summary>Minutes, and the hours and days of them, that end at or before this are rolled up; null: none is yet.</summary>
    public DateTime? RolledUntil { get; set; }
}
