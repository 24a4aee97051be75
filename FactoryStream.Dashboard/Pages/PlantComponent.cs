using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Plant;
using FactoryStream.Dashboard.Units;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.Storage;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Pages;

/// <summary>
/// What the plant's page and the kiosk have in common: the engines as they come, their states, and the trends of those in sight.
/// </summary>
/// <remarks>
/// A new window is shown at once, and then no more for <see cref="DashboardOptions.PushInterval"/> (500 ms): at most two updates a second,
/// whatever the number of engines. One update goes once over all engines to count them, and draws the rows in sight alone.
/// </remarks>
public abstract class PlantComponent : LiveComponent
{
    // That a window does not come is nobody's message: ages and states are told again now and then.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    // Names are the machines' own; a list that is longer helps nobody.
    private const int MaxMetrics = 100;

    private VisibleTrends? trends;
    private bool isCounted;
    private IReadOnlyDictionary<int, AlertSeverity> raised = new Dictionary<int, AlertSeverity>();
    private string? alertsFailure;
    private string? trendsFailure;

    [Inject]
    private LatestWindows Latest { get; set; } = default!;

    [Inject]
    private RecentRejections Rejections { get; set; } = default!;

    [Inject]
    private RaisedAlerts Alerts { get; set; } = default!;

    [Inject]
    private TrendsReader Reader { get; set; } = default!;

    [Inject]
    private LatestUnits Units { get; set; } = default!;

    [Inject]
    private IOptions<DashboardOptions> Options { get; set; } = default!;

    [Inject]
    private DashboardMetrics Instruments { get; set; } = default!;

    [Inject]
    private protected TimeProvider Clock { get; set; } = default!;

    private protected LatestSnapshot Snapshot { get; private set; } = new(0, [], IsLive: false);

    private protected RejectionCounts Rejected { get; private set; } = RejectionCounts.None;

    private protected PlantView View { get; private set; } =
        PlantView.Of([], new Dictionary<int, AlertSeverity>(), RejectionCounts.None.Recent, PlantFilter.None, default);

    private protected PlantFilter Filter { get; private set; } = PlantFilter.None;

    private protected DateTime Now { get; private set; }

    private protected IReadOnlyList<MetricChoice> MetricChoices { get; private set; } = [];

    /// <summary>The metric of the tiles; null: there is none yet.</summary>
    private protected string? ShownMetric { get; private set; }

    /// <summary>Why something on the page may be old; null: nothing is.</summary>
    private protected string? Failure => Rejected.Failure ?? alertsFailure ?? trendsFailure;

    protected override TimeSpan Interval => Options.Value.PushInterval;

    /// <summary>Draws the rows in sight from the new state; called before each drawing.</summary>
    private protected abstract Task ShowAsync(CancellationToken cancellation);

    protected override async Task OnInitializedAsync()
    {
        Take();
        await ReadAsync(CancellationToken.None);
        Take();
    }

    protected override void OnAfterRender(bool firstRender)
    {
        if (firstRender)
        {
            isCounted = true;
            Instruments.Pages.Add(1);
        }
        base.OnAfterRender(firstRender);
    }

    protected override async Task NextAsync(CancellationToken cancellation)
    {
        using (var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            await Task.WhenAny(Latest.NextAsync(Snapshot.Version, waiting.Token), Task.Delay(Tick, Clock, waiting.Token));
            await waiting.CancelAsync();
        }
        cancellation.ThrowIfCancellationRequested();
        await ReadAsync(cancellation);
        Take();
        await ShowAsync(cancellation);
    }

    protected override void Left()
    {
        if (isCounted)
            Instruments.Pages.Add(-1);
    }

    private protected void Show(PlantFilter filter)
    {
        Filter = filter;
        Take();
    }

    private protected void Show(string? metric) => ShownMetric = metric;

    /// <summary>Reads the trends of the rows in sight; without the database the last ones stay, and the page says so.</summary>
    private protected async Task FollowAsync(IEnumerable<PlantRow> rows, CancellationToken cancellation)
    {
        if (ShownMetric is not { } metric)
            return;
        trends ??= new VisibleTrends(Reader);
        try
        {
            await trends.FollowAsync([.. rows.SelectMany(row => row.Tiles).Select(tile => tile.Engine)], metric, cancellation);
            trendsFailure = null;
        }
        catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
        {
            trendsFailure = reason;
        }
    }

    private protected IReadOnlyList<TrendPoint> Trend(EngineWindow engine) => trends?.Of(engine, ShownMetric) ?? [];

    private async Task ReadAsync(CancellationToken cancellation)
    {
        Rejected = await Rejections.GetAsync(cancellation);
        (raised, alertsFailure) = await Alerts.GetAsync(cancellation);
    }

    private void Take()
    {
        Snapshot = Latest.Current;
        Now = Clock.GetUtcNow().UtcDateTime;
        View = PlantView.Of(Snapshot.Engines, raised, Rejected.Recent, Filter, Now);
        var found = Snapshot
            .Engines.SelectMany(engine => engine.Means)
            .Select(mean => mean.Metric)
            .Distinct()
            .Take(MaxMetrics)
            .Order(StringComparer.Ordinal);
        var choices = Units.Current.Choices(found);
        if (!choices.SequenceEqual(MetricChoices))
            MetricChoices = choices;
        ShownMetric ??= MetricChoices.Count > 0 ? MetricChoices[0].Name : null;
    }
}
