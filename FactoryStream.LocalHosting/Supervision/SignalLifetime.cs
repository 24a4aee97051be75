using System.Runtime.InteropServices;
using FactoryStream.LocalHosting.Terminal;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>Ctrl-C, SIGTERM and a closed terminal end the application in good order; a second one ends it at once, which the watchdog cleans up after.</summary>
internal sealed class SignalLifetime(IHostApplicationLifetime application, ConsoleOutput output) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> registrations = [];
    private int signals;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        // A shell starts what it puts in the background with SIGINT ignored, and .NET respects that; whoever sends one all the same means it.
        const int standard = 0;
        _ = Native.SetSignalDisposition(Native.SigInt, standard);
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
            registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => registrations.ForEach(registration => registration.Dispose());

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref signals) > 1)
            Environment.Exit(130);
        output.Say("Stopping: what was accepted is finished first. Once more to stop at once.");
        application.StopApplication();
    }
}
