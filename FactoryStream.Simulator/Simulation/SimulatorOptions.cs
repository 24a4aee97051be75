using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Simulator.Simulation;

/// <summary>Section <c>Simulator</c>; the command line's options come before it.</summary>
internal sealed class SimulatorOptions
{
    public const string Section = "Simulator";

    /// <summary>One reading of each engine in 100 s.</summary>
    public const double MinRate = 0.01;

    /// <summary>As many as one timer can keep up with.</summary>
    public const double MaxRate = 100;

    /// <summary>How many factories; default 10.</summary>
    [Range(1, 999)]
    public int Factories { get; set; } = 10;

    /// <summary>Engines of each factory; default 6.</summary>
    [Range(1, 999)]
    public int Engines { get; set; } = 6;

    /// <summary>Readings of each engine a second; default 1.</summary>
    [Range(MinRate, MaxRate)]
    public double Rate { get; set; } = 1;

    /// <summary>Factories are named PREFIX_001, PREFIX_002, ...; default <c>factory</c>.</summary>
    [Required, StringLength(100, MinimumLength = 1)]
    public string FactoryPrefix { get; set; } = "factory";

    /// <summary>Folder of the private keys; default: below the user's own data folder.</summary>
    public string? Keys { get; set; }

    /// <summary>The token that enrols keys; none: the keys must be enrolled already.</summary>
    public string? AdminToken { get; set; }

    /// <summary>
    /// POSTs that a factory keeps while Ingest is away (about one a second); a factory whose buffer is full stops measuring until there is
    /// room. Default 600.
    /// </summary>
    [Range(1, 100_000)]
    public int BufferedPosts { get; set; } = 600;

    /// <summary>Longest that a POST may wait for its answer, in seconds; default 30.</summary>
    [Range(1, 600)]
    public int AnswerWithinSeconds { get; set; } = 30;
}
