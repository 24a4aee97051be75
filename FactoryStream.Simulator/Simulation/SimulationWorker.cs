using FactoryStream.Simulator.Factories;
using FactoryStream.Simulator.Sending;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FactoryStream.Simulator.Simulation;

/// <summary>Enrols the factories and runs them until stopped; then sends what is already signed, for a few seconds at most.</summary>
internal sealed class SimulationWorker(
    IOptions<SimulatorOptions> options,
    Addresses addresses,
    HttpClient client,
    Pace pace,
    SimulatorMetrics metrics,
    TimeProvider time,
    SimulatorLog log
) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMinutes(1),
        DrainWithin = TimeSpan.FromSeconds(4);

    private volatile bool isEnrolled;
    private long lastComplaint = long.MinValue;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(isEnrolled ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The factories are not enrolled yet."));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var settings = options.Value;
        var keys = new KeyFolder(settings.Keys ?? KeyFolder.Default);
        log.Starting(settings.Factories, settings.Engines, settings.Rate, keys.Path);
        try
        {
            await RunAsync(settings, keys, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
        catch (UsageException exception)
        {
            log.CannotGoOn(exception.Message);
            throw;
        }
    }

    private async Task RunAsync(SimulatorOptions settings, KeyFolder keys, CancellationToken stoppingToken)
    {
        var poster = new HttpClientPoster(client, addresses.Ingest, time);
        var enrolment = new Enrolment(client, addresses.Verifier, settings.AdminToken, time);
        var factories = new SimulatedFactory[settings.Factories];
        await Parallel.ForAsync(
            0,
            factories.Length,
            stoppingToken,
            async (i, cancellationToken) =>
            {
                var factoryId = $"{settings.FactoryPrefix}_{i + 1:D3}";
                var signer = keys.GetOrCreate(factoryId);
                await enrolment.EnrolAsync(
                    factoryId,
                    signer.ExportPublicKeyPem(),
                    why => OnceAMinute(() => log.WaitingForVerifier(why)),
                    giveUpAfter: null,
                    cancellationToken
                );
                factories[i] = new SimulatedFactory(
                    factoryId,
                    signer,
                    repeating => new Delivery(poster, time, giveUpAfter: null, repeating),
                    settings,
                    pace,
                    metrics,
                    time,
                    new Random(),
                    why => OnceAMinute(() => log.Repeating(why))
                );
            }
        );
        isEnrolled = true;
        log.Enrolled(factories.Length, addresses.Ingest);

        using var sending = new CancellationTokenSource();
        using var measuring = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var stopped = stoppingToken.Register(() => sending.CancelAfter(DrainWithin));
        var tasks = new List<Task> { ReportAsync(factories, measuring.Token), DescribeAsync(settings, measuring.Token) };
        for (var i = 0; i < factories.Length; i++)
        {
            var factory = factories[i];
            tasks.Add(factory.SendAsync(sending.Token));
            tasks.Add(factory.MeasureAsync(measuring.Token, sending.Token));
        }
        try
        {
            // The first that fails ends them all.
            await foreach (var task in Task.WhenEach(tasks))
                await task;
        }
        catch (OperationCanceledException) when (sending.IsCancellationRequested)
        {
            log.StoppedWithWaiting(factories.Sum(factory => factory.Waiting + 1));
        }
        finally
        {
            await measuring.CancelAsync();
            await sending.CancelAsync();
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Says what the metrics are, beside the sending: a plant without its Dashboard sends all the same.</summary>
    private async Task DescribeAsync(SimulatorOptions settings, CancellationToken cancellationToken)
    {
        if (addresses.Dashboard is not { } dashboard || settings.AdminToken is not { Length: > 0 } token)
            return;
        var descriptions = new MetricDescriptions(client, dashboard, token, time);
        try
        {
            if (await descriptions.DescribeAsync(EngineModel.Metrics, log.MetricsWait, cancellationToken) is { } why)
                log.MetricsNotDescribed(why);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    private async Task ReportAsync(SimulatedFactory[] factories, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(ReportEvery, time);
        var last = Sum();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var now = Sum();
                log.LastMinute(
                    now.Acknowledged - last.Acknowledged,
                    now.Refused - last.Refused,
                    now.Repetitions - last.Repetitions,
                    now.Skipped - last.Skipped,
                    factories.Sum(factory => factory.Waiting)
                );
                last = now;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }

        (long Acknowledged, long Refused, long Repetitions, long Skipped) Sum() =>
            (
                factories.Sum(factory => factory.Counts.Acknowledged),
                factories.Sum(factory => factory.Counts.Refused),
                factories.Sum(factory => factory.Counts.Repetitions),
                factories.Sum(factory => factory.Skipped)
            );
    }

    private void OnceAMinute(Action log)
    {
        var now = time.GetTimestamp();
        var last = Interlocked.Read(ref lastComplaint);
        if (
            (last == long.MinValue || time.GetElapsedTime(last, now) >= ReportEvery)
            && Interlocked.CompareExchange(ref lastComplaint, now, last) == last
        )
            log();
    }
}
