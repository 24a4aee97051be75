namespace FactoryStream.Tests.Audit;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("", "archive", "audit, verify")]
    [InlineData("archive", "--partition", "--database", "FILE", "retention")]
    [InlineData("audit", "--public-keys", "FILE", "Parquet")]
    public async Task Help_names_every_command_and_option(string command, params string[] expected)
    {
        var (exitCode, output, error) = await RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.All(expected, word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("archive x", "--partition")]
    [InlineData("archive x --partition p", "Which database?")]
    [InlineData("archive x --partition p --database Host=", "The database cannot be asked")]
    [InlineData("audit x", "--public-keys")]
    [InlineData("audit missing.ndjson --public-keys missing.pem", "missing.pem cannot be read")]
    [InlineData("dance", "dance")]
    public async Task Wrong_arguments_are_named_and_nothing_is_done(string arguments, string expected)
    {
        var (exitCode, _, error) = await RunAsync(arguments.Split(' '));

        Assert.NotEqual(0, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await FactoryStream.Audit.CommandLine.RunAsync(args, output, error).WaitAsync(TimeSpan.FromSeconds(60));
        return (exitCode, output.ToString(), error.ToString());
    }
}
