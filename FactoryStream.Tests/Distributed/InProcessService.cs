using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.Tests.Distributed;

/// <summary>
/// A service run by its own entry point inside the test's process, so that a test can look into it. The generic host announces its builder
/// and its host on the diagnostic source "Microsoft.Extensions.Hosting"; that is where services are added and the host is taken hold of.
/// </summary>
internal sealed class InProcessService : IAsyncDisposable
{
    private readonly IHost host;
    private readonly IHostApplicationLifetime lifetime;
    private readonly Task run;

    private InProcessService(IHost host, IHostApplicationLifetime lifetime, Task run)
    {
        this.host = host;
        this.lifetime = lifetime;
        this.run = run;
    }

    public IServiceProvider Services => host.Services;

    public static async Task<InProcessService> StartAsync(string assembly, string[] args, Action<IServiceCollection> configure)
    {
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        var entryPoint = Assembly.Load(assembly).EntryPoint ?? throw new InvalidOperationException($"{assembly} is no program.");
        using var observer = new HostObserver(configure, built);
        using var subscription = DiagnosticListener.AllListeners.Subscribe(observer);
        // A thread of its own: the entry point blocks until the host has stopped.
        var run = Task.Factory.StartNew(
            () =>
            {
                observer.Own();
                entryPoint.Invoke(null, [args]);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        var first = await Task.WhenAny(built.Task, run).WaitAsync(RunningSystem.Patience);
        if (first == run)
        {
            await run;
            throw new InvalidOperationException($"{assembly} ended before it had built its host.");
        }
        var host = await built.Task;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await Task.WhenAny(started.Task, run).WaitAsync(RunningSystem.Patience);
        return new InProcessService(host, lifetime, run);
    }

    public async ValueTask DisposeAsync()
    {
        // The entry point stops and disposes its own host, once; one that stopped by itself has done so, or is about to.
        lifetime.StopApplication();
        await run.WaitAsync(RunningSystem.Patience);
    }

    private sealed class HostObserver(Action<IServiceCollection> configure, TaskCompletionSource<IHost> built)
        : IObserver<DiagnosticListener>,
            IObserver<KeyValuePair<string, object?>>,
            IDisposable
    {
        // Hosts are built all over a test run; only the one of our own entry point is ours.
        private static readonly AsyncLocal<HostObserver?> Current = new();
        private IDisposable? inner;

        public void Own() => Current.Value = this;

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
                inner = value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (Current.Value != this)
                return;
            if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
                builder.ConfigureServices(configure);
            if (value is { Key: "HostBuilt", Value: IHost host })
                built.TrySetResult(host);
        }

        public void OnCompleted() { }

        public void OnError(Exception error) => built.TrySetException(error);

        public void Dispose() => inner?.Dispose();
    }
}
