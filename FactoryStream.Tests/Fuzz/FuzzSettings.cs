using System.Globalization;

namespace FactoryStream.Tests.Fuzz;

/// <summary>What may be asked of the mutants by environment variables; docs/reliability.md has the command.</summary>
internal static class FuzzSettings
{
    /// <summary><c>FACTORYSTREAM_FUZZ_SEED</c>: which mutants. Default 1.</summary>
    public static int Seed { get; } = Number("FACTORYSTREAM_FUZZ_SEED", 1, int.MinValue, int.MaxValue);

    /// <summary>
    /// <c>FACTORYSTREAM_FUZZ_MUTANTS</c>: how many go through the whole system. Default 200,000, or what <see cref="Limit"/> allows.
    /// </summary>
    public static int Mutants { get; } = Number("FACTORYSTREAM_FUZZ_MUTANTS", 200_000, 1_000, 1_000_000_000);

    /// <summary>
    /// How long mutants are sent at most where no number of them is asked for, so that the suite takes no longer on a busy machine.
    /// </summary>
    public static TimeSpan Limit { get; } =
        Environment.GetEnvironmentVariable("FACTORYSTREAM_FUZZ_MUTANTS") is { Length: > 0 } ? TimeSpan.MaxValue : TimeSpan.FromSeconds(75);

    private static int Number(string name, int usual, int least, int most)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text)
            return usual;
        return int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new InvalidOperationException($"{name}: expected a whole number from {least} to {most}, found '{text}'.");
    }
}
