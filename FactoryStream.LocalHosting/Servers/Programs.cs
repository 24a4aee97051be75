using System.Text;
using Aspire.Hosting;
using FactoryStream.LocalHosting.Supervision;

namespace FactoryStream.LocalHosting.Servers;

/// <summary>Runs a server's own tools to their end.</summary>
internal static class Programs
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>What the program wrote; an error with its last words if it failed.</summary>
    public static async Task<string> RunAsync(ProcessSpec spec, string failure, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        var output = new StringBuilder();
        var process = ChildProcess.Start(spec, (line, _) =>
        {
            lock (output)
                output.AppendLine(line);
        });
        int exitCode;
        try
        {
            exitCode = await process.Exited.WaitAsync(patience ?? Patience, cancellationToken);
            await process.Drained.WaitAsync(Patience, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            process.Signal(Native.SigKill);
            throw;
        }
        lock (output)
            return exitCode == 0 ? output.ToString() : throw new DistributedApplicationException($"{failure}: {Path.GetFileName(spec.File)} ended with exit code {exitCode}.\n{output}");
    }
}
