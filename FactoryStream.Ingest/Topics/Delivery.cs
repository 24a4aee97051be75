using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace FactoryStream.Ingest.Topics;

/// <summary>
/// Counts down what Kafka has still to acknowledge of one request's readings: no task a line. It completes when every reading has its
/// answer, which the client library's time-out bounds; only then may it be used again.
/// </summary>
internal sealed class Delivery : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> completed = new() { RunContinuationsAsynchronously = true };
    private int outstanding = 1;
    private int acknowledged;
    private int failed;

    /// <summary>Readings that are safe.</summary>
    public int Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>Readings and refusals that Kafka did not acknowledge.</summary>
    public int Failed => Volatile.Read(ref failed);

    /// <summary>The request's span when it is sampled, else default.</summary>
    public ActivityContext Trace { get; private set; }

    /// <summary>Begins anew.</summary>
    public void Begin(ActivityContext trace)
    {
        completed.Reset();
        outstanding = 1;
        acknowledged = 0;
        failed = 0;
        Trace = trace;
    }

    /// <summary>So many more readings, or a refusal, are handed over.</summary>
    public void Expect(int readings = 1) => Interlocked.Add(ref outstanding, readings);

    /// <summary>Kafka's answer for readings handed over.</summary>
    public void Complete(int readings, bool isSafe)
    {
        Interlocked.Add(ref isSafe ? ref acknowledged : ref failed, readings);
        Release(readings);
    }

    /// <summary>Kafka's answer for a refusal handed over.</summary>
    public void CompleteRefusal(bool isSafe)
    {
        if (!isSafe)
            Interlocked.Increment(ref failed);
        Release(1);
    }

    /// <summary>No further line comes: waits for the answers. Once for each <see cref="Begin"/>.</summary>
    public ValueTask WhenCompletedAsync()
    {
        Release(1);
        return new ValueTask(this, completed.Version);
    }

    private void Release(int count)
    {
        if (Interlocked.Add(ref outstanding, -count) == 0)
            completed.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => completed.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => completed.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        completed.OnCompleted(continuation, state, token, flags);
}
