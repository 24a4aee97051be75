using System.CommandLine;
using Microsoft.Extensions.Options;

namespace FactoryStream.Simulator.Commands;

/// <summary>The program's commands. Each says all of its options by <c>--help</c>.</summary>
internal static class CommandLine
{
    // What is under way when Ctrl-C comes has this long to end well.
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);

    /// <returns>0: all went well; 1: something was not acknowledged or not possible, and the error output says what.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand("Factories that enrol their keys, sign what their engines measure and send it to FactoryStream.")
        {
            SimulateCommand.Create(),
            ReplayCommand.Create(),
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
        catch (UsageException exception)
        {
            await error.WriteLineAsync($"error: {exception.Message}");
        }
        catch (OptionsValidationException exception)
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
