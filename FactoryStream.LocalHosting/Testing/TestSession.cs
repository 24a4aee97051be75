namespace Aspire.Hosting.Testing;

/// <summary>A test's hold on an AppHost's entry point, which runs on a thread of its own: it gives the builder away, waits until the test builds, and again until the test is done.</summary>
internal sealed class TestSession(string[] args, string? appHostDirectory)
{
    private static readonly AsyncLocal<TestSession?> Ambient = new();

    private readonly TaskCompletionSource<DistributedApplicationBuilder> builder = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource build = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DistributedApplication> application = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static TestSession? Current => Ambient.Value;

    /// <summary>The test's own arguments, after the AppHost's.</summary>
    public string[] Args { get; } = args;

    public string? AppHostDirectory { get; } = appHostDirectory;

    public Task WhenDisposed => disposed.Task;

    /// <summary>On the entry point's thread: the builder is described.</summary>
    public DistributedApplication Building(DistributedApplicationBuilder described)
    {
        builder.TrySetResult(described);
        build.Task.GetAwaiter().GetResult();
        var built = described.BuildNow();
        application.TrySetResult(built);
        return built;
    }

    /// <summary>On the test's side: let it be built.</summary>
    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
    {
        build.TrySetResult();
        return application.Task.WaitAsync(cancellationToken);
    }

    public void Disposed() => disposed.TrySetResult();

    /// <summary>The test goes without having built.</summary>
    public void Abandon()
    {
        build.TrySetException(new OperationCanceledException("The test built no application."));
        disposed.TrySetResult();
    }

    /// <summary>Runs an entry point until it has described its application.</summary>
    public Task<DistributedApplicationBuilder> RunAsync(Action entryPoint, CancellationToken cancellationToken)
    {
        new Thread(() =>
        {
            Ambient.Value = this;
            try
            {
                entryPoint();
                builder.TrySetException(new DistributedApplicationException("The entry point ended without having built an application."));
            }
            catch (Exception exception)
            {
                var cause = exception is System.Reflection.TargetInvocationException { InnerException: { } inner } ? inner : exception;
                builder.TrySetException(cause);
                application.TrySetException(cause);
            }
        }) { IsBackground = true, Name = "AppHost entry point" }.Start();
        return builder.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Makes a builder of no entry point.</summary>
    public DistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options)
    {
        Ambient.Value = this;
        try
        {
            return new DistributedApplicationBuilder(options, this);
        }
        finally
        {
            Ambient.Value = null;
        }
    }
}
