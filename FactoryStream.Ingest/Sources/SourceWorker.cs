using System.IO.Pipelines;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Http;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Sources;

/// <summary>
/// Pulls from factories' own streams of envelopes, and connects again for ever: each source in a loop of its own that nothing but the
/// service's own stop ends, so that whatever one meets is neither the others' nor the service's end. What was pulled goes the way of a
/// POST; but as nobody would send it again, it is given to Kafka until Kafka has it, and meanwhile no more is read: the source feels it.
/// </summary>
internal sealed class SourceWorker(
    RequestReaderPool readers,
    SignedTopicWriter signed,
    Backlog backlog,
    SourceStates sources,
    IOptions<IngestOptions> options,
    TimeProvider time,
    IngestMetrics metrics,
    IngestLog log
) : BackgroundService
{
    private readonly IngestOptions options = options.Value;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (sources.All.Count == 0)
            return;
        // No overall time-out: the answer never ends. An idle source is recognised while reading.
        var handler = new SocketsHttpHandler { ConnectTimeout = options.SourceConnectTimeout };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Accept.ParseAdd("application/x-ndjson, text/event-stream");
        try
        {
            await Task.WhenAll(sources.All.Select(source => PullAsync(client, source, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task PullAsync(HttpClient client, SourceState state, CancellationToken stoppingToken)
    {
        var source = state.Address;
        var delay = options.SourceMinDelay;
        while (true)
        {
            string reason;
            var lines = 0L;
            try
            {
                using var response = await ConnectAsync(client, source, stoppingToken);
                if (response.IsSuccessStatusCode)
                {
                    log.SourceConnected(state.Name);
                    state.Connected();
                    metrics.SourceConnected();
                    await using var body = await response.Content.ReadAsStreamAsync(stoppingToken);
                    await foreach (
                        var stretch in ReadAsync(PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 64 << 10)), stoppingToken)
                    )
                    {
                        await StoreAsync(state, stretch, stoppingToken);
                        lines += stretch.Count;
                    }
                    reason = "it ended the stream";
                }
                else
                {
                    reason = $"HTTP {(int)response.StatusCode}";
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                throw;
            }
            catch (TimeoutException)
            {
                reason = $"nothing came for {options.SourceIdleTimeout}";
            }
            catch (OperationCanceledException)
            {
                // How the handler tells that its time to connect is over: the host answers nothing, not even that it refuses.
                reason = $"no connection within {options.SourceConnectTimeout}";
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                reason = exception.Message;
            }
            catch (Exception exception)
            {
                // Nobody foresaw it, but it is this source's alone: to be tried again as well, and to be looked into.
                reason = $"{exception.GetType().Name}: {exception.Message}";
                log.SourceFailed(state.Name, exception);
            }
            state.Lost(reason);
            if (lines > 0)
                delay = options.SourceMinDelay;
            // Jitter, so that the sources of a plant that came back do not all connect in the same instant.
            var wait = delay * (0.5 + Random.Shared.NextDouble());
            log.SourceLost(state.Name, reason, wait);
            await Task.Delay(wait, time, stoppingToken);
            delay = delay * 2 < options.SourceMaxDelay ? delay * 2 : options.SourceMaxDelay;
        }
    }

    private async Task<HttpResponseMessage> ConnectAsync(HttpClient client, Uri source, CancellationToken stoppingToken)
    {
        using var silence = new CancellationTokenSource(options.SourceIdleTimeout, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, silence.Token);
        try
        {
            return await client.GetAsync(source, HttpCompletionOption.ResponseHeadersRead, ending.Token);
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !stoppingToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    private async IAsyncEnumerable<IReadOnlyList<Line>> ReadAsync(
        PipeReader body,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stoppingToken
    )
    {
        var splitter = new LineSplitter(options.MaxLineBytes);
        var lines = new List<Line>();
        try
        {
            while (true)
            {
                var result = await body.ReadAsync(stoppingToken).AsTask().WaitAsync(options.SourceIdleTimeout, time, stoppingToken);
                lines.Clear();
                foreach (var segment in result.Buffer)
                {
                    var rest = segment;
                    while (splitter.TryRead(ref rest, out var line))
                        Add(lines, line);
                }
                body.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted && splitter.TryFinish(out var last))
                    Add(lines, last);
                if (lines.Count > 0)
                    yield return lines;
                if (result.IsCompleted)
                    yield break;
            }
        }
        finally
        {
            splitter.Reset();
        }
    }

    // A copy: it may have to be given to Kafka more than once.
    private static void Add(List<Line> lines, Line line)
    {
        if (ServerSentEvents.TryUnwrap(line.Bytes, out var envelope))
            lines.Add(line with { Bytes = envelope.ToArray() });
    }

    private async Task StoreAsync(SourceState source, IReadOnlyList<Line> lines, CancellationToken stoppingToken)
    {
        var taken = 0;
        var isReported = false;
        while (taken < lines.Count)
        {
            if (signed.IsOpen && !backlog.TurnsAway())
            {
                using var span = IngestTracing
                    .Source.StartActivity("pull readings", System.Diagnostics.ActivityKind.Consumer)
                    ?.SetTag("server.address", source.Address.Host);
                var reader = readers.Get();
                reader.Begin(IngestTracing.Current);
                while (reader.Stop == Stop.None && taken + reader.LineCount < lines.Count)
                    await reader.TakeAsync(lines[taken + reader.LineCount], CancellationToken.None);
                await reader.WhenCompletedAsync();
                var (failed, stop, count) = (reader.Delivery.Failed, reader.Stop, reader.LineCount);
                readers.Return(reader);
                // What Kafka has twice because the answer was lost is recognised as a duplicate.
                if (failed == 0)
                    taken += count;
                if (
                    failed == 0
                    && stop
                        is not (Stop.BacklogFull or Stop.KafkaSlow or Stop.RetentionNear or Stop.PartitionsChanged or Stop.UnknownShareFull)
                )
                    continue;
            }
            if (!isReported)
                log.SourceRetries(source.Name);
            isReported = true;
            await Task.Delay(options.SourceMinDelay, time, stoppingToken);
        }
    }
}
