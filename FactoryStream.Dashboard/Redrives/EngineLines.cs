using FactoryStream.Contracts;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>Which lines have a reading of an engine: rejections are kept without its id, so the line itself tells.</summary>
/// <param name="engineId">The engine; null: every line is meant.</param>
internal sealed class EngineLines(string? engineId)
{
    private readonly ReadingParser parser = new();

    /// <summary>Whether a line is meant. What is no reading is no engine's; a batch is of each of its engines.</summary>
    public bool Has(ReadOnlyMemory<byte> line)
    {
        if (engineId is null)
            return true;
        if (parser.TryParse(line, out var reading, out _) != Verdict.Accepted)
            return false;
        if (!reading.IsBatch)
            return reading.EngineId == engineId;
        foreach (ref readonly var one in parser.BatchReadings)
        {
            if (one.EngineId == engineId)
                return true;
        }
        return false;
    }
}
