using System.Globalization;

namespace FactoryStream.Tests.Fuzz;

/// <summary>What may be asked of the mutants by environment variables; docs/reliability.md has the command.</summary>
internal static class FuzzSettings
{
    /// <summary><c>FACTORYSTREAM_FUZZ_SEED</c>: which mutants. Default 1.</summary>
    public static int Seed { get; } = Number("FACTORYSTREAM_FUZZ_SEED", 1, int.MinValue, int.MaxValue);

    private static int Number(string name, int usual, int least, int most)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text)
            return usual;
        return int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new InvalidOperationException($"{name}: expected a whole number from {least} to {most}, found '{text}'.");
    }
}
