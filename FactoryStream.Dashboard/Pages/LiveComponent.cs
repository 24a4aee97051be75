using Microsoft.AspNetCore.Components;

namespace FactoryStream.Dashboard.Pages;

/// <summary>
/// A part of a page that draws itself anew when what it shows has changed, never more often than its interval, until the page is left.
/// </summary>
public abstract class LiveComponent : ComponentBase, IAsyncDisposable
{
    private CancellationTokenSource? left;
    private Task following = Task.CompletedTask;

    [Inject]
    private TimeProvider Time { get; set; } = default!;

    [Inject]
    private IHostApplicationLifetime Lifetime { get; set; } = default!;

    /// <summary>Shortest time between two drawings.</summary>
    protected abstract TimeSpan Interval { get; }

    /// <summary>Waits for the next state and takes it over.</summary>
    protected abstract Task NextAsync(CancellationToken cancellation);

    /// <summary>Called when the page is left.</summary>
    protected virtual void Left() { }

    // Not called while the page is rendered on the server for its first, static form.
    protected override void OnAfterRender(bool firstRender)
    {
        if (!firstRender)
            return;
        // A program that ends takes its services away before its pages: an error then would keep the browser from trying again.
        left = CancellationTokenSource.CreateLinkedTokenSource(Lifetime.ApplicationStopping);
        following = FollowAsync(left.Token);
    }

    private async Task FollowAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await NextAsync(cancellation);
                StateHasChanged();
                await Task.Delay(Interval, Time, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The page was left, or the program ends.
        }
        catch (Exception exception)
        {
            await DispatchExceptionAsync(exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (left is not null)
        {
            await left.CancelAsync();
            await following;
            left.Dispose();
        }
        Left();
        GC.SuppressFinalize(this);
    }
}
