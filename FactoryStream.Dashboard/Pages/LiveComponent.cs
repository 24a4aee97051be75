using Microsoft.AspNetCore.Components;

namespace FactoryStream.Dashboard.Pages;

/// <summary>A part of a page that draws itself anew when what it shows has changed, never more often than its interval, until the page is left.</summary>
public abstract class LiveComponent : ComponentBase, IAsyncDisposable
{
    private readonly CancellationTokenSource left = new();
    private Task following = Task.CompletedTask;

    [Inject]
    private TimeProvider Time { get; set; } = default!;

    /// <summary>Shortest time between two drawings.</summary>
    protected abstract TimeSpan Interval { get; }

    /// <summary>Waits for the next state and takes it over.</summary>
    protected abstract Task NextAsync(CancellationToken cancellation);

    /// <summary>Called when the page is left.</summary>
    protected virtual void Left()
    {
    }

    // Not called while the page is rendered on the server for its first, static form.
    protected override void OnAfterRender(bool firstRender)
    {
        if (firstRender)
            following = FollowAsync();
    }

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                await NextAsync(left.Token);
                StateHasChanged();
                await Task.Delay(Interval, Time, left.Token);
            }
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (Exception exception)
        {
            await DispatchExceptionAsync(exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await left.CancelAsync();
        await following;
        left.Dispose();
        Left();
        GC.SuppressFinalize(this);
    }
}
