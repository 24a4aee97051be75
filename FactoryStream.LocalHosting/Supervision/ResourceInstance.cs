using System.Collections.Immutable;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>A process as the watchdog must know it: beyond doubt, and how it is asked to end.</summary>
internal sealed record RegisteredProcess(int Id, string StartTime, int StopSignal);

/// <summary>
/// One instance of a resource and its life: it waits for what it needs, starts, is watched, is started again when it ended unasked, and
/// ends when told.
/// What it is told and what it does are apart: commands set the goal, one loop follows it.
/// </summary>
#pragma warning disable CA1001 // Its token source has neither timer nor links: there is nothing to let go. Each life has a new one.
internal sealed class ResourceInstance(
    IResource resource, string id, IReadOnlyDictionary<string, int> ports, bool runsToCompletion, Supervisor supervisor, ResourceNotificationService notifications, ResourceLoggerService loggers, TimeProvider clock)
#pragma warning restore CA1001
{
    /// <summary>What a job that others wait for may fail before they are told that it will not come.</summary>
    private const int MostAttempts = 5;

    /// <summary>How long a process must have run for its next crash to be a first one again.</summary>
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HealthyInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UnhealthyInterval = TimeSpan.FromMilliseconds(100);

    private static readonly double[] BackOffSeconds = [0.1, 0.5, 1, 2, 5, 10, 30];

    private readonly Lock gate = new();
    private readonly LaunchAnnotation launch = resource.Annotations.OfType<LaunchAnnotation>().Last();

    // A service or a server is never done, whatever it ends with. A job is: one that others wait for to complete, or a program that listens
    // nowhere.
    private readonly bool mayFinish =
        runsToCompletion || (resource is ExecutableResource && !resource.HasAnnotationOfType<EndpointAnnotation>());

    private CancellationTokenSource? goal;
    private Task life = Task.CompletedTask;
    private volatile bool ready;

    public IResource Resource => resource;

    public string Id => id;

    /// <summary>It runs, is healthy, and was not told to end.</summary>
    public bool IsReady => ready;

    /// <summary>The port it listens on, for each endpoint.</summary>
    public IReadOnlyDictionary<string, int> Ports => ports;

    /// <summary>The process it is now, if it is one.</summary>
    public RegisteredProcess? Process { get; private set; }

    /// <summary>Begins its life, or begins it again.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (!life.IsCompleted)
                return Task.CompletedTask;
            goal = new CancellationTokenSource();
            life = LiveAsync(goal.Token);
        }
        return Task.CompletedTask;
    }

    /// <summary>Ends its life in good order; done when it has ended.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Task ending;
        lock (gate)
        {
            goal?.Cancel();
            ending = life;
        }
        await ending.WaitAsync(cancellationToken);
    }

    private async Task LiveAsync(CancellationToken told)
    {
        // Never run on the thread of whoever gave the command.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var crashes = 0;
        try
        {
            await WaitForDependenciesAsync(told);
            while (true)
            {
                Publish(snapshot => snapshot with { State = KnownResourceStates.Starting, StopTimeStamp = null, HealthReports = InitialReports() });
                var started = clock.GetTimestamp();
                int exitCode;
                var plan = await PlanAsync(told);
                if (plan is null)
                    return;
                if (plan.Process is not null)
                    exitCode = await RunProcessAsync(plan, told);
                else
                    exitCode = await RunInProcessAsync(plan, told);

                if (told.IsCancellationRequested)
                {
                    Publish(snapshot => snapshot with { State = KnownResourceStates.Exited, ExitCode = plan.Process is null ? null : exitCode });
                    return;
                }
                if (exitCode == 0 && mayFinish)
                {
                    Publish(snapshot => snapshot with { State = KnownResourceStates.Finished, ExitCode = 0 });
                    return;
                }
                crashes = clock.GetElapsedTime(started) > LongEnough ? 1 : crashes + 1;
                var how = exitCode > 128 ? $"was ended by signal {exitCode - 128}" : $"ended with exit code {exitCode}";
                if (runsToCompletion && crashes >= MostAttempts)
                {
                    Say($"It {how}, {crashes} times in a row. What waits for it will not start.", isError: true);
                    Publish(snapshot => snapshot with { State = new ResourceStateSnapshot(KnownResourceStates.Exited, KnownResourceStateStyles.Error), ExitCode = exitCode });
                    return;
                }
                var delay = BackOffSeconds[Math.Min(crashes, BackOffSeconds.Length) - 1];
                Say(string.Create(CultureInfo.InvariantCulture, $"It {how} and is started again in {delay} s."), isError: true);
                Publish(snapshot => snapshot with { State = new ResourceStateSnapshot(KnownResourceStates.Starting, KnownResourceStateStyles.Warn), ExitCode = exitCode });
                await Task.Delay(TimeSpan.FromSeconds(delay), clock, told);
            }
        }
        catch (OperationCanceledException) when (told.IsCancellationRequested)
        {
            Publish(snapshot => snapshot with { State = KnownResourceStates.Exited, StopTimeStamp = snapshot.StopTimeStamp ?? Now });
        }
        catch (Exception exception)
        {
            FailedToStart(exception is DistributedApplicationException ? exception.Message : exception.ToString());
        }
    }

    private async Task WaitForDependenciesAsync(CancellationToken told)
    {
        var waits = resource.Annotations.OfType<WaitAnnotation>().ToArray();
        if (waits.Length == 0)
            return;
        Publish(snapshot => snapshot with
        {
            State = KnownResourceStates.Waiting,
            Properties = With(snapshot.Properties, "resource.waitingFor", waits.Select(wait => wait.Resource.Name).ToArray()),
        });
        await Task.WhenAll(waits.Select(wait => WaitForAsync(wait, told)));
        Publish(snapshot => snapshot with { Properties = [.. snapshot.Properties.Where(property => property.Name != "resource.waitingFor")] });
    }

    /// <summary>Waits for every instance of another resource. One that failed is waited for on: someone may start it again.</summary>
    private async Task WaitForAsync(WaitAnnotation wait, CancellationToken told)
    {
        await Task.WhenAll(notifications.InstancesOf(wait.Resource).Select(async instance =>
        {
            var saidSo = false;
            await notifications.WaitForResourceAsync(
                instance,
                change =>
                {
                    var state = change.Snapshot.State?.Text;
                    var ended = KnownResourceStates.TerminalStates.Contains(state);
                    var come = wait.WaitType switch
                    {
                        WaitType.WaitUntilHealthy => change.Snapshot.HealthStatus == HealthStatus.Healthy,
                        WaitType.WaitForCompletion => ended && change.Snapshot.ExitCode == wait.ExitCode,
                        _ => state == KnownResourceStates.Running || state == KnownResourceStates.Finished,
                    };
                    if (ended && !come && !saidSo)
                    {
                        saidSo = true;
                        Say($"It waits for {wait.Resource.Name}, which is {state}{(change.Snapshot.ExitCode is { } code ? $" with exit code {code}" : "")}.", isError: true);
                    }
                    return come;
                },
                told);
        }));
    }

    private async Task<LaunchPlan?> PlanAsync(CancellationToken told)
    {
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            if (ports.TryGetValue(endpoint.Name, out var port) && LocalHosting.Ports.IsTaken(port))
            {
                var who = LocalHosting.Ports.ListenerOf(port) is { } listener ? $" ({listener})" : "";
                FailedToStart($"Port {port} is taken by another program{who}. Stop that, or choose another port by --{resource.Name}:port NUMBER.");
                return null;
            }
        }
        var mark = new Dictionary<string, string> { [Watchdog.RunVariable] = supervisor.Run, [Watchdog.InstanceVariable] = Mark };
        var context = new LaunchContext(resource, id, name => ports[name], supervisor.Settings, supervisor.Folder, supervisor.Ports, mark, (line, isError) => loggers.Write(id, line, isError), supervisor.Services);
        return await launch.Plan(context, told);
    }

    private async Task<int> RunProcessAsync(LaunchPlan plan, CancellationToken told)
    {
        var spec = plan.Process!;
        var process = ChildProcess.Start(spec, (line, isError) => loggers.Write(id, line, isError));
        Process = ChildProcess.StartTimeOf(process.Id) is { } startTime ? new RegisteredProcess(process.Id, startTime, spec.StopSignal) : null;
        supervisor.ProcessesChanged();
        Running(plan, process.Id);

        using var watching = CancellationTokenSource.CreateLinkedTokenSource(told);
        var health = WatchHealthAsync(watching.Token);
        await Task.WhenAny(process.Exited, Task.Delay(Timeout.Infinite, watching.Token));
        ready = false;
        if (!process.Exited.IsCompleted)
        {
            Publish(snapshot => snapshot with { State = KnownResourceStates.Stopping });
            process.Signal(spec.StopSignal);
            try
            {
                await process.Exited.WaitAsync(spec.Grace, clock, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                Say($"It did not end within {spec.Grace.TotalSeconds:F0} s and is killed.", isError: true);
                process.Signal(Native.SigKill);
            }
        }
        var exitCode = await process.Exited;
        await watching.CancelAsync();
        await health;
        // What it forked away, into whatever session, goes with it; only then is its port free and its work over.
        await Watchdog.SweepAsync(Watchdog.InstanceVariable, Mark, "");
        await Task.WhenAny(process.Drained, Task.Delay(TimeSpan.FromSeconds(1), clock, CancellationToken.None));
        Process = null;
        supervisor.ProcessesChanged();
        Publish(snapshot => snapshot with { StopTimeStamp = Now, HealthReports = InitialReports(), Urls = Urls(plan, active: false), Properties = With(snapshot.Properties, "executable.pid", null) });
        return exitCode;
    }

    private async Task<int> RunInProcessAsync(LaunchPlan plan, CancellationToken told)
    {
        Running(plan, null);
        try
        {
            await WatchHealthAsync(told);
            await Task.Delay(Timeout.Infinite, told);
        }
        catch (OperationCanceledException) when (told.IsCancellationRequested)
        {
            Publish(snapshot => snapshot with { State = KnownResourceStates.Stopping });
        }
        ready = false;
        if (plan.InProcess is not null)
            await plan.InProcess.DisposeAsync();
        Publish(snapshot => snapshot with { StopTimeStamp = Now, HealthReports = InitialReports(), Urls = Urls(plan, active: false) });
        return 0;
    }

    private void Running(LaunchPlan plan, int? pid)
    {
        var checks = InitialReports();
        ready = checks.IsEmpty;
        Publish(snapshot =>
        {
            var properties = snapshot.Properties;
            foreach (var property in plan.Properties)
                properties = With(properties, property);
            return snapshot with
            {
                State = KnownResourceStates.Running,
                StartTimeStamp = Now,
                StopTimeStamp = null,
                HealthReports = checks,
                EnvironmentVariables = [.. plan.Environment],
                Urls = Urls(plan, active: true),
                Volumes = plan.DataFolder is null ? [] : [new VolumeSnapshot(plan.DataFolder, plan.DataFolder, "bind", false)],
                Properties = With(properties, "executable.pid", pid),
            };
        });
    }

    /// <summary>Runs the health checks until told to end: often while one fails, seldom while all pass.</summary>
    private async Task WatchHealthAsync(CancellationToken told)
    {
        var checks = resource.Annotations.OfType<HealthCheckAnnotation>().ToArray();
        if (checks.Length == 0)
            return;
        try
        {
            while (true)
            {
                var reports = await Task.WhenAll(checks.Select(check => CheckAsync(check, told)));
                told.ThrowIfCancellationRequested();
                var healthy = Array.TrueForAll(reports, report => report.Status == HealthStatus.Healthy);
                if (notifications.TryGetCurrentState(id, out var known)
                    && !known.Snapshot.HealthReports.Select(report => (report.Status, report.Description)).SequenceEqual(reports.Select(report => (report.Status, report.Description))))
                    Publish(snapshot => snapshot with { HealthReports = [.. reports] });
                ready = healthy;
                await Task.Delay(healthy ? HealthyInterval : UnhealthyInterval, clock, told);
            }
        }
        catch (OperationCanceledException) when (told.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private async Task<HealthReportSnapshot> CheckAsync(HealthCheckAnnotation check, CancellationToken told)
    {
        try
        {
            await check.Check(endpoint => new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[endpoint]}")), told);
            return new HealthReportSnapshot(check.Key, HealthStatus.Healthy, null, null) { LastRunAt = Now };
        }
        catch (Exception exception)
        {
            return new HealthReportSnapshot(check.Key, HealthStatus.Unhealthy, exception.Message, exception.ToString()) { LastRunAt = Now };
        }
    }

    private ImmutableArray<HealthReportSnapshot> InitialReports() =>
        [.. resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => new HealthReportSnapshot(check.Key, null, null, null))];

    private ImmutableArray<UrlSnapshot> Urls(LaunchPlan plan, bool active)
    {
        if (plan.Address is { } address)
            return [new UrlSnapshot("tcp", address, false) { IsInactive = !active }];
        var urls = ImmutableArray.CreateBuilder<UrlSnapshot>();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            var shown = new ResourceUrlAnnotation { Url = endpoint.AllocatedEndpoint!.UriString, Endpoint = new EndpointReference((IResourceWithEndpoints)resource, endpoint) };
            foreach (var change in resource.Annotations.OfType<EndpointUrlAnnotation>().Where(change => string.Equals(change.EndpointName, endpoint.Name, StringComparison.OrdinalIgnoreCase)))
                change.Change(shown);
            var url = Uri.TryCreate(shown.Url, UriKind.Absolute, out var absolute) && absolute.Scheme != Uri.UriSchemeFile ? shown.Url : endpoint.AllocatedEndpoint.UriString + shown.Url;
            urls.Add(new UrlSnapshot(endpoint.Name, url, false) { IsInactive = !active, DisplayProperties = new UrlDisplayPropertiesSnapshot(shown.DisplayText ?? "", shown.DisplayOrder ?? 0) });
        }
        return urls.ToImmutable();
    }

    private void FailedToStart(string why)
    {
        Say(why, isError: true);
        Publish(snapshot => snapshot with { State = new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error), StopTimeStamp = Now });
    }

    /// <summary>Names this instance of this run alone, and is the beginning of no other name: a sweep looks for it in every process of the machine.</summary>
    private string Mark => $"{supervisor.Run}/{id};";

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    private void Say(string text, bool isError) => loggers.Write(id, text, isError);

    private void Publish(Func<CustomResourceSnapshot, CustomResourceSnapshot> change) => notifications.PublishUpdateAsync(resource, id, change);

    private static ImmutableArray<ResourcePropertySnapshot> With(ImmutableArray<ResourcePropertySnapshot> properties, string name, object? value) =>
        With(properties, new ResourcePropertySnapshot(name, value) { IsHighlighted = true });

    private static ImmutableArray<ResourcePropertySnapshot> With(ImmutableArray<ResourcePropertySnapshot> properties, ResourcePropertySnapshot property) =>
        [.. properties.Where(known => known.Name != property.Name), property];
}
