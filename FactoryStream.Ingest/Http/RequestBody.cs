using System.IO.Pipelines;

namespace FactoryStream.Ingest.Http;

/// <summary>
/// A request's body, of which each piece is waited for only so long. A machine may send a line a minute for days; one that sends nothing
/// for longer, or a stop of Ingest, ends it.
/// </summary>
/// <param name="reader">The body, decompressed.</param>
/// <param name="maxSilence">How long a piece is waited for.</param>
/// <param name="time">The clock.</param>
/// <param name="aborted">The client is gone.</param>
/// <param name="stopping">Ingest is asked to stop.</param>
internal sealed class RequestBody(
    PipeReader reader,
    TimeSpan maxSilence,
    TimeProvider time,
    CancellationToken aborted,
    CancellationToken stopping
)
{
    /// <summary>The next piece.</summary>
    /// <exception cref="BodyEndedException">None came in time, or Ingest stops.</exception>
    public ValueTask<ReadResult> ReadAsync() => reader.TryRead(out var result) ? new(result) : WaitAsync();

    /// <summary>All that was read is used.</summary>
    public void Used(in ReadResult result) => reader.AdvanceTo(result.Buffer.End);

    private async ValueTask<ReadResult> WaitAsync()
    {
        using var silence = new CancellationTokenSource(maxSilence, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping, silence.Token);
        try
        {
            return await reader.ReadAsync(ending.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested && ending.IsCancellationRequested)
        {
            throw new BodyEndedException(stopping.IsCancellationRequested ? Stop.Ending : Stop.Idle);
        }
    }
}

/// <summary>A body was not read to its end, for no fault of its bytes.</summary>
internal sealed class BodyEndedException(Stop reason) : Exception
{
    public Stop Reason { get; } = reason;
}
