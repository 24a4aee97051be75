using System.CommandLine;

namespace FactoryStream.Audit;

/// <summary>The program's commands. Each says all of its options by <c>--help</c>.</summary>
internal static class CommandLine
{
    // What is under way when Ctrl-C comes has this long to end well.
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);

    /// <returns>0: all is true; 1: something is not, or could not be checked, and the error output says what.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand(
            "A second look at what FactoryStream stored: checks the signatures of exported readings with the public keys alone, and "
                + "writes readings with their evidence to files that outlive the database."
        )
        {
            AuditCommand.Create(),
            ArchiveCommand.Create(),
        };
        try
        {
            return await root.Parse(args)
                .InvokeAsync(
                    new InvocationConfiguration
                    {
                        Output = output,
                        Error = error,
                        EnableDefaultExceptionHandler = false,
                        ProcessTerminationTimeout = EndWithin,
                    }
                );
        }
        catch (EvidenceException exception)
        {
            await error.WriteLineAsync($"error: {exception.Message}");
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("error: cancelled before it was done.");
        }
        return 1;
    }
}
