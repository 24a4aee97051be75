using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;
using FactoryStream.Simulator.Simulation;

namespace FactoryStream.Simulator.Commands;

/// <summary>Options that several commands have, each made anew for its command.</summary>
internal static class SharedOptions
{
    public static Option<string?> Ingest() =>
        new("--ingest")
        {
            Description = "Ingest's address [default: what the AppHost says in services__ingest__http__0, else http://localhost:8001]",
            HelpName = "URL",
        };

    public static Option<string?> Verifier() =>
        new("--verifier")
        {
            Description =
                "The Verifier's address, where keys are enrolled [default: services__verifier__http__0, else http://localhost:8000]",
            HelpName = "URL",
        };

    public static Option<string?> Keys() =>
        new("--keys")
        {
            Description =
                "Folder of the factories' private keys, a file each that only its owner can read; a factory without one gets a new "
                + "RSA-2048 key [default: Simulator__Keys, else factorystream/simulator-keys in the user's data folder]",
            HelpName = "DIR",
        };

    public static Option<string?> AdminToken() =>
        new("--admin-token")
        {
            Description =
                "Token that enrols keys; better given as the environment variable Simulator__AdminToken, for others see command "
                + "lines. Without one the keys must be enrolled already",
            HelpName = "TOKEN",
        };

    public static Option<int> GiveUpAfter() =>
        new Option<int>("--give-up-after")
        {
            Description = "Seconds for which one POST is repeated, and the Verifier waited for, before it counts as failed",
            HelpName = "S",
            DefaultValueFactory = _ => 120,
        }.Bounded(1, 86_400);

    public static Option<string> Salt()
    {
        var option = new Option<string>("--salt")
        {
            Description = "Salt of the signatures: 32 bytes, or as much as fits (as Python's PSS.MAX_LENGTH does)",
            HelpName = "digest|max",
            DefaultValueFactory = _ => "digest",
        };
        option.AcceptOnlyFromAmong("digest", "max");
        return option;
    }

    public static SaltLength SaltOf(ParseResult parsed, Option<string> option) =>
        parsed.GetValue(option) == "max" ? SaltLength.Maximum : SaltLength.Digest;

    /// <summary>Refuses a number outside the bounds, which are included.</summary>
    public static Option<T> Bounded<T>(this Option<T> option, T least, T most)
        where T : IComparable<T>, IParsable<T>
    {
        option.Validators.Add(result => CheckBounds(result, option.Name, least, most));
        return option;
    }

    /// <summary>As the other, where the number may be left out.</summary>
    public static Option<T?> Bounded<T>(this Option<T?> option, T least, T most)
        where T : struct, IComparable<T>, IParsable<T>
    {
        option.Validators.Add(result => CheckBounds(result, option.Name, least, most));
        return option;
    }

    private static void CheckBounds<T>(OptionResult result, string name, T least, T most)
        where T : IComparable<T>, IParsable<T>
    {
        // What is no number at all has its own error, and asking for its value here would throw.
        if (
            result.Tokens is [var token]
            && T.TryParse(token.Value, CultureInfo.InvariantCulture, out var value)
            && (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        )
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be from {least} to {most}."));
    }

    /// <summary>The environment, as the services read it.</summary>
    public static IConfiguration Environment() => new ConfigurationBuilder().AddEnvironmentVariables().Build();

    public static string AdminTokenSetting(IConfiguration configuration) => configuration[$"{SimulatorOptions.Section}:AdminToken"] ?? "";

    public static KeyFolder KeyFolderOf(IConfiguration configuration, string? given) =>
        new(given ?? configuration[$"{SimulatorOptions.Section}:Keys"] ?? KeyFolder.Default);
}
