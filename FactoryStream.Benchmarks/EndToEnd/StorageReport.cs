namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>How many bytes a stored reading takes.</summary>
/// <param name="Date">When, UTC.</param>
/// <param name="Commit">Of the code.</param>
/// <param name="Machine">Where.</param>
/// <param name="Readings">How many were stored.</param>
/// <param name="Engines">Of how many engines.</param>
/// <param name="EventRate">Readings a second of event time, all engines together: how many share a window.</param>
/// <param name="Rows">Bytes a reading, and what archiving costs.</param>
internal sealed record StorageReport(
    DateTime Date,
    string Commit,
    MachineNote Machine,
    long Readings,
    int Engines,
    double EventRate,
    IReadOnlyList<BenchRow> Rows
);
