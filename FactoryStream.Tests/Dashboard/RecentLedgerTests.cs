using FactoryStream.Dashboard.Reconciliation;
using Microsoft.Extensions.Time.Testing;

namespace FactoryStream.Tests.Dashboard;

public sealed class RecentLedgerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider time = new();
    private int reads;

    [Fact]
    public async Task Callers_get_the_same_ledger_while_it_is_read_and_soon_after()
    {
        var source = new TaskCompletionSource<List<FactoryLedger>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ledger = Ledger(_ => source.Task);
        Task<List<FactoryLedger>>[] asking = [ledger.GetAsync(default), ledger.GetAsync(default), ledger.GetAsync(default)];
        source.SetResult([]);
        var answers = await Task.WhenAll(asking).WaitAsync(Patience);
        time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Same(answers[0], await ledger.GetAsync(default).WaitAsync(Patience));
        Assert.Equal(1, reads);

        time.Advance(TimeSpan.FromSeconds(0.1));
        await ledger.GetAsync(default).WaitAsync(Patience);
        Assert.Equal(2, reads);
    }

    [Fact]
    public async Task A_failure_reaches_the_caller_and_is_not_cached()
    {
        var ledger = Ledger(_ => reads == 1 ? throw new TailTooLongException("too long") : Task.FromResult(new List<FactoryLedger>()));

        await Assert.ThrowsAsync<TailTooLongException>(() => ledger.GetAsync(default).WaitAsync(Patience));
        Assert.Empty(await ledger.GetAsync(default).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_client_that_disconnects_cancels_nothing_for_the_others()
    {
        var source = new TaskCompletionSource<List<FactoryLedger>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ledger = Ledger(source.Task.WaitAsync);
        using var leaving = new CancellationTokenSource();
        var left = ledger.GetAsync(leaving.Token);
        var stayed = ledger.GetAsync(default);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WaitAsync(Patience));
        source.SetResult([]);

        Assert.Empty(await stayed.WaitAsync(Patience));
        Assert.Equal(1, reads);
    }

    private RecentLedger Ledger(Func<CancellationToken, Task<List<FactoryLedger>>> read) =>
        new(
            cancellation =>
            {
                Interlocked.Increment(ref reads);
                return read(cancellation);
            },
            TimeSpan.FromSeconds(1),
            time,
            CancellationToken.None
        );
}
