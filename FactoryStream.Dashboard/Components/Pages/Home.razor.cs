using System.Globalization;
using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Windows;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Components.Pages;

/// <summary>The one page: what is happening now. Rendered on the server, which pushes what changed.</summary>
public sealed partial class Home : IAsyncDisposable
{
    private readonly SemaphoreSlim loading = new(1);
    private LatestWindow[] windows = [];
    private string[] factories = [];
    private string[] engines = [];
    private string[] metrics = [];
    private string factory = "";
    private string engine = "";
    private string metric = "";
    private Point[] points = [];
    private IReadOnlyList<FactoryBooks> books = [];
    private string? booksProblem;
    private bool listening;

    [Inject]
    internal LatestWindows Latest { get; set; } = null!;

    [Inject]
    internal IServiceScopeFactory Scopes { get; set; } = null!;

    [Inject]
    internal IOptions<DashboardOptions> Options { get; set; } = null!;

    [Inject]
    internal TimeProvider Time { get; set; } = null!;

    [Inject]
    internal DashboardMetrics Metrics { get; set; } = null!;

    public async ValueTask DisposeAsync()
    {
        if (!listening)
            return;
        listening = false;
        Latest.Changed -= OnChanged;
        Metrics.Pages.Add(-1);
        // Whoever is loading still finishes first.
        await loading.WaitAsync();
        loading.Dispose();
    }

    protected override async Task OnInitializedAsync()
    {
        // Once for the first picture, and once more when the circuit is there: only that one lives on.
        await RefreshAsync();
        if (!RendererInfo.IsInteractive)
            return;
        listening = true;
        Latest.Changed += OnChanged;
        Metrics.Pages.Add(1);
    }

    // Called on the listener's thread: the page's own dispatcher takes over, and what fails there ends the circuit, visibly.
    private void OnChanged() => _ = InvokeAsync(async () =>
    {
        try
        {
            await RefreshAsync();
            StateHasChanged();
        }
        catch (Exception exception)
        {
            await DispatchExceptionAsync(exception);
        }
    });

    private async Task RefreshAsync()
    {
        // A page that is slower than the news shows the newest next time.
        if (!await loading.WaitAsync(0))
            return;
        try
        {
            windows = Latest.All;
            factories = [.. windows.Select(window => window.FactoryId).Distinct()];
            if (!factories.Contains(factory))
                factory = factories.FirstOrDefault("");
            FillPickers();
            await ReadChartAsync();
            await ReadBooksAsync();
        }
        finally
        {
            loading.Release();
        }
    }

    private void FillPickers()
    {
        engines = [.. windows.Where(window => window.FactoryId == factory).Select(window => window.EngineId)];
        if (!engines.Contains(engine))
            engine = engines.FirstOrDefault("");
        metrics = [.. windows.FirstOrDefault(window => window.FactoryId == factory && window.EngineId == engine)?.Means.Keys ?? Enumerable.Empty<string>()];
        if (!metrics.Contains(metric))
            metric = metrics.FirstOrDefault("");
    }

    private Task PickEngineAsync() => LoadChartAsync();

    private Task PickMetricAsync() => LoadChartAsync();

    private Task ShowAsync(LatestWindow window)
    {
        (factory, engine) = (window.FactoryId, window.EngineId);
        return LoadChartAsync();
    }

    private async Task LoadChartAsync()
    {
        FillPickers();
        await loading.WaitAsync();
        try
        {
            await ReadChartAsync();
        }
        finally
        {
            loading.Release();
        }
    }

    private async Task ReadChartAsync()
    {
        if (metric.Length == 0)
        {
            points = [];
            return;
        }
        // Up to the engine's own newest window: a replayed engine's time is not the clock's.
        var newest = windows.First(window => window.FactoryId == factory && window.EngineId == engine).WindowEnd;
        await using var scope = Scopes.CreateAsyncScope();
        var read = new List<Point>();
        var query = new WindowsQuery(factory, engine, metric, newest - Options.Value.RecentWindow, newest, Options.Value.MaxWindows);
        await foreach (var window in scope.ServiceProvider.GetRequiredService<WindowsReader>().ReadAsync(query))
            read.Add(new Point(window.WindowStart, window.Mean));
        points = [.. read];
    }

    private async Task ReadBooksAsync()
    {
        await using var scope = Scopes.CreateAsyncScope();
        try
        {
            using var patience = new CancellationTokenSource(Options.Value.BooksPatience * 2, Time);
            books = (await scope.ServiceProvider.GetRequiredService<BooksReader>().ReadAsync(patience.Token)).Factories;
            booksProblem = null;
        }
        catch (Exception exception) when (exception is BacklogTooLongException or Confluent.Kafka.KafkaException or Npgsql.NpgsqlException or OperationCanceledException)
        {
            booksProblem = $"The books are of {Time.GetUtcNow():HH:mm:ss} and older: {exception.Message}";
        }
    }

    private static Dictionary<string, object> Attributes(string id, string label) => new() { ["id"] = id, ["aria-label"] = label };

    private static string Text(DateTime utc, bool timeOnly = false) => utc.ToString(timeOnly ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    private static string Text(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Reasons(IReadOnlyDictionary<string, long> counts) =>
        counts.Count == 0 ? "0" : string.Join(", ", counts.Select(count => $"{count.Key} {Text(count.Value)}"));

    internal sealed record Point(DateTime Time, double Mean);
}
