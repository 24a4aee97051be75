using System.CommandLine;
using FactoryStream.Audit;
using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Benchmarks.Skab;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks;

/// <summary>The commands that are not BenchmarkDotNet's. Each says all of its options by <c>--help</c>.</summary>
internal static class Commands
{
    // The whole system that a command started has this long to stop when Ctrl-C comes.
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(60);

    /// <returns>0: all went well; 1: something was not acknowledged, not stored or not possible, and the error output says what.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand("Measures FactoryStream, and what it does under load.")
        {
            BenchCommand.Create(),
            StorageCommand.Create(),
            LoadCommand.Create(),
            SignCommand.Create(),
            SkabCommand.Create(),
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
        catch (Exception exception) when (exception is UsageException or EvidenceException)
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
