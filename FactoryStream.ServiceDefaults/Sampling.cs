using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// Samples at the head: at most so many new traces a second, evenly (a token bucket of one second's worth).
/// A request that is not sampled is still recorded, so that <see cref="ErrorsAlways"/> can export it when it fails.
/// A database call that belongs to no request begins no trace: hundreds of a poll's statements would hide the readings' own.
/// </summary>
internal sealed class RateLimitingSampler(double tracesPerSecond, TimeProvider time) : Sampler
{
    /// <summary>What <c>System.Net.Http</c> calls a request; every other root of a client's kind is a statement of a database.</summary>
    private const string HttpRequest = "System.Net.Http.HttpRequestOut";

    private readonly Lock gate = new();
    private readonly double burst = Math.Max(tracesPerSecond, 1);
    private double tokens = Math.Max(tracesPerSecond, 1);
    private long last = time.GetTimestamp();

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        if (samplingParameters is { Kind: ActivityKind.Client, Name: not HttpRequest })
            return new SamplingResult(SamplingDecision.Drop);
        if (tracesPerSecond < 0 || (tracesPerSecond > 0 && Take()))
            return new SamplingResult(SamplingDecision.RecordAndSample);
        return new SamplingResult(samplingParameters.Kind == ActivityKind.Server ? SamplingDecision.RecordOnly : SamplingDecision.Drop);
    }

    private bool Take()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            tokens = Math.Min(burst, tokens + time.GetElapsedTime(last, now).TotalSeconds * tracesPerSecond);
            last = now;
            if (tokens < 1)
                return false;
            tokens--;
            return true;
        }
    }
}

/// <summary>Exports a request that failed though it was not sampled. Must come before the exporter.</summary>
internal sealed class ErrorsAlways : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        if (!data.Recorded && data.Status == ActivityStatusCode.Error)
            data.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
    }
}
